// Owns the limits of what a key can be asked for, for the command line, the console and the file. Pure.
// By hand, not by a schema: the engine reads keys before it listens, and a validator takes 50 ms to load.
import { ENDPOINT_SCOPES, PRIORITIES, type KeyLimits, type KeyScopes, type KeyWish } from '../contract.ts';
import { EngineError } from '../errors.ts';
import { LOCAL, UNKNOWN_TENANT } from './caller.ts';

type Check = (value: unknown) => boolean;

const TENANT = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const MOST_MODELS = 200;
const MOST_USD = 1e9;

/** A tenant's name, which is not one of the engine's own. */
export const isTenant: Check = (value) =>
  typeof value === 'string' && TENANT.test(value) && value !== LOCAL.tenant && value !== UNKNOWN_TENANT;

/** Milliseconds since 1970. */
export const isTime: Check = (value) => Number.isSafeInteger(value) && Number(value) >= 0 && Number(value) <= 8.64e15;

const orNull =
  (check: Check): Check =>
  (value) =>
    value === null || check(value);
const isCount =
  (most: number): Check =>
  (value) =>
    Number.isSafeInteger(value) && Number(value) >= 1 && Number(value) <= most;
const isMoney: Check = (value) => typeof value === 'number' && value >= 0 && value <= MOST_USD;
const isFlag: Check = (value) => typeof value === 'boolean';
const isListOf =
  (most: number, item: Check): Check =>
  (value) =>
    Array.isArray(value) && value.length >= 1 && value.length <= most && value.every(item);
const isOneOf =
  (choices: readonly string[]): Check =>
  (value) =>
    typeof value === 'string' && choices.includes(value);
const isModel: Check = (value) => typeof value === 'string' && value.length >= 1 && value.length <= 200;

const SCOPES: Readonly<Record<keyof KeyScopes, readonly [Check, string]>> = {
  endpoints: [orNull(isListOf(ENDPOINT_SCOPES.length, isOneOf(ENDPOINT_SCOPES))), `some of ${ENDPOINT_SCOPES.join(', ')}, or null for all`],
  models: [orNull(isListOf(MOST_MODELS, isModel)), `1 to ${MOST_MODELS} names of models, or null for all`],
  admin: [isFlag, 'true or false'],
};
const LIMITS: Readonly<Record<keyof KeyLimits, readonly [Check, string]>> = {
  requestsPerMinute: [orNull(isCount(1e6)), 'a whole number from 1 to 1000000, or null'],
  tokensPerMinute: [orNull(isCount(1e9)), 'a whole number from 1 to 1000000000, or null'],
  concurrency: [orNull(isCount(1e5)), 'a whole number from 1 to 100000, or null'],
  dailyUsd: [orNull(isMoney), `an amount from 0 to ${MOST_USD}, or null`],
  monthlyUsd: [orNull(isMoney), `an amount from 0 to ${MOST_USD}, or null`],
  countsLocalCost: [isFlag, 'true or false'],
};
const PARTS: readonly (readonly [string, Check, string])[] = [
  ['tenant', isTenant, 'a name of 1 to 64 letters, digits, dots, hyphens and underscores, other than local and unknown'],
  ['expiresMs', orNull(isTime), 'a time in milliseconds since 1970, or null'],
  ['priority', isOneOf(PRIORITIES), `one of ${PRIORITIES.join(', ')}`],
  ...Object.entries(SCOPES).map(([name, [check, limit]]) => [`scopes.${name}`, check, limit] as const),
  ...Object.entries(LIMITS).map(([name, [check, limit]]) => [`limits.${name}`, check, limit] as const),
];

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

/** Which field is outside its limit, and what it must be; null: none. */
export function faultOfWish(wish: unknown): { readonly field: string; readonly limit: string } | null {
  const fault = PARTS.find(([path, check]) => !check(valueAt(wish, path)));
  return fault === undefined ? null : { field: fault[0], limit: fault[2] };
}

/** @throws EngineError `invalid_request` naming the field and its limit */
export function checkWish(wish: KeyWish, nowMs: number): KeyWish {
  const fault = faultOfWish(wish);
  if (fault !== null) throw new EngineError('invalid_request', `${fault.field} must be ${fault.limit}.`, { param: fault.field });
  if (wish.expiresMs !== null && wish.expiresMs <= nowMs)
    throw new EngineError('invalid_request', 'expiresMs must be a time to come.', { param: 'expiresMs' });
  return wish;
}

function valueAt(value: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>((at, name) => (typeof at === 'object' && at !== null ? Reflect.get(at, name) : undefined), value);
}
