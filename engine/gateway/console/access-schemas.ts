// The schemas of what the console is told about keys and sessions, for the API's reference. They describe; nothing is filtered through them.
import { Type } from 'typebox';
import { ENDPOINT_SCOPES, PRIORITIES } from '../../contract.ts';
import type * as contract from '../../contract.ts';
import { nullable, shaped } from './response-schemas.ts';

const text = Type.String();
const time = Type.Number({ description: 'ms since 1970.' });

const keyFields = {
  id: text,
  tenant: text,
  state: Type.Enum(['active', 'expired', 'revoked']),
  createdMs: time,
  expiresMs: nullable(time),
  revokedMs: nullable(time),
  previousUntilMs: nullable(time),
  scopes: Type.Object({
    endpoints: nullable(Type.Array(Type.Enum([...ENDPOINT_SCOPES]))),
    models: nullable(Type.Array(text)),
    admin: Type.Boolean(),
  }),
  limits: Type.Object({
    requestsPerMinute: nullable(Type.Integer()),
    tokensPerMinute: nullable(Type.Integer()),
    concurrency: nullable(Type.Integer()),
    dailyUsd: nullable(Type.Number()),
    monthlyUsd: nullable(Type.Number()),
    countsLocalCost: Type.Boolean(),
  }),
  priority: Type.Enum([...PRIORITIES]),
};
const use = Type.Object({ running: Type.Integer(), todayUsd: Type.Number(), monthUsd: Type.Number(), lastUsedMs: nullable(time) });

export const keyInfo = shaped<contract.KeyInfo>()(Type.Object(keyFields));
export const keyRows = shaped<readonly contract.KeyRow[]>()(Type.Array(Type.Object({ ...keyFields, use })));
export const newKey = shaped<contract.NewKey>()(Type.Object({ key: Type.Object(keyFields), secret: text }));
export const pairingCode = shaped<contract.PairingCode>()(Type.Object({ code: text, expiresMs: time }));
export const sessionInfo = shaped<contract.SessionInfo>()(
  Type.Object({ tenant: nullable(text), keyId: nullable(text), admin: Type.Boolean() }),
);
export const lanStatus = shaped<contract.LanStatus>()(
  Type.Object({
    enabled: Type.Boolean(),
    name: text,
    url: nullable(text),
    addresses: Type.Array(text),
    fingerprint: nullable(Type.String({ description: 'SHA-256 of the authority’s certificate.' })),
  }),
);
export const auditEntries = shaped<readonly contract.AuditEntry[]>()(
  Type.Array(
    Type.Object({
      atMs: time,
      tenant: text,
      keyId: nullable(text),
      address: text,
      action: text,
      subject: nullable(text),
      status: Type.Integer(),
    }),
  ),
);
