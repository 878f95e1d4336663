// Owns the limits of what a key can be asked for, in one schema for the command line, the console and the file. Pure.
import { Type } from 'typebox';
import { Value } from 'typebox/value';
import { ENDPOINT_SCOPES, PRIORITIES, type KeyWish } from '../contract.ts';
import { EngineError } from '../errors.ts';

const count = (most: number) => Type.Union([Type.Integer({ minimum: 1, maximum: most }), Type.Null()]);
const money = Type.Union([Type.Number({ minimum: 0, maximum: 1e9 }), Type.Null()]);
const time = Type.Integer({ minimum: 0, maximum: 8.64e15 });

const LIMITS: Readonly<Record<string, string>> = {
  tenant: '1 to 64 letters, digits, dots, hyphens or underscores',
  expiresMs: 'a time in milliseconds since 1970, or null',
  scopes: `endpoints of ${ENDPOINT_SCOPES.join(', ')}; names of models; admin true or false`,
  limits: 'whole numbers from 1, and amounts of money from 0; null for none',
  priority: `one of ${PRIORITIES.join(', ')}`,
};

export const keyWishFields = {
  tenant: Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$', description: LIMITS['tenant'] ?? '' }),
  expiresMs: Type.Union([time, Type.Null()], { description: 'When it stops working; null: when it is revoked.' }),
  scopes: Type.Object(
    {
      endpoints: Type.Union([Type.Array(Type.Enum([...ENDPOINT_SCOPES]), { minItems: 1 }), Type.Null()]),
      models: Type.Union([Type.Array(Type.String({ minLength: 1, maxLength: 200 }), { minItems: 1, maxItems: 200 }), Type.Null()]),
      admin: Type.Boolean(),
    },
    { additionalProperties: false, description: LIMITS['scopes'] ?? '' },
  ),
  limits: Type.Object(
    {
      requestsPerMinute: count(1e6),
      tokensPerMinute: count(1e9),
      concurrency: count(1e5),
      dailyUsd: money,
      monthlyUsd: money,
      countsLocalCost: Type.Boolean(),
    },
    { additionalProperties: false, description: LIMITS['limits'] ?? '' },
  ),
  priority: Type.Enum([...PRIORITIES]),
};

export const keyWishSchema = Type.Object(keyWishFields, { additionalProperties: false });

export const keyRecordSchema = Type.Object({
  ...keyWishFields,
  id: Type.String({ pattern: '^[a-z0-9]{10}$' }),
  hash: Type.String({ pattern: '^[\\w-]{43}$' }),
  createdMs: time,
  revokedMs: Type.Union([time, Type.Null()]),
  previous: Type.Union([Type.Object({ hash: Type.String({ pattern: '^[\\w-]{43}$' }), untilMs: time }), Type.Null()]),
});

/** A key without limits that may use the whole API and not the console. */
export function plainWish(tenant: string): KeyWish {
  return {
    tenant,
    expiresMs: null,
    scopes: { endpoints: null, models: null, admin: false },
    limits: {
      requestsPerMinute: null,
      tokensPerMinute: null,
      concurrency: null,
      dailyUsd: null,
      monthlyUsd: null,
      countsLocalCost: false,
    },
    priority: 'normal',
  };
}

/** @throws EngineError `invalid_request` naming the field and its limit */
export function checkWish(wish: KeyWish, nowMs: number): KeyWish {
  if (!Value.Check(keyWishSchema, wish)) {
    const path = Value.Errors(keyWishSchema, wish)[0]?.instancePath.split('/').slice(1) ?? [];
    const field = path[0] ?? 'tenant';
    throw new EngineError('invalid_request', `${path.join('.') || field} must be ${LIMITS[field] ?? 'a field of a key'}.`, {
      param: field,
    });
  }
  if (wish.expiresMs !== null && wish.expiresMs <= nowMs)
    throw new EngineError('invalid_request', 'expiresMs must be a time to come.', { param: 'expiresMs' });
  return wish;
}
