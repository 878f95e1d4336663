// Who may use the server and how much of it: API keys, as the console and the command line show them. `GET /api/keys` gives a list.

/** How a tenant's waiting requests stand against others': in what order, and who is refused first when the queue is full. */
export const PRIORITIES = ['interactive', 'normal', 'batch'] as const;
export type Priority = (typeof PRIORITIES)[number];

/** Parts of the API that a key may be limited to; each is the first segment of paths under `/v1/`; `infer` and `models` are those of `/v2` too, `metrics` is `/metrics`. */
export const ENDPOINT_SCOPES = [
  'chat',
  'completions',
  'embeddings',
  'rerank',
  'classify',
  'infer',
  'models',
  'responses',
  'messages',
  'files',
  'batches',
  'feedback',
  'metrics',
] as const;
export type EndpointScope = (typeof ENDPOINT_SCOPES)[number];

export interface KeyScopes {
  /** Null: every endpoint of the API. */
  readonly endpoints: readonly EndpointScope[] | null;
  /** Names of models as requests spell them; null: every model. */
  readonly models: readonly string[] | null;
  /** May use the console and its API, which steer the server. */
  readonly admin: boolean;
}

/** Null: no limit. */
export interface KeyLimits {
  readonly requestsPerMinute: number | null;
  /** Tokens of prompts and answers together. */
  readonly tokensPerMinute: number | null;
  /** Requests under way at once. */
  readonly concurrency: number | null;
  /** Money spent in a day and in a month of UTC: on upstream models, and on this machine if `countsLocalCost`. */
  readonly dailyUsd: number | null;
  readonly monthlyUsd: number | null;
  readonly countsLocalCost: boolean;
}

export interface KeyWish {
  readonly tenant: string;
  /** Null: until it is revoked. */
  readonly expiresMs: number | null;
  readonly scopes: KeyScopes;
  readonly limits: KeyLimits;
  readonly priority: Priority;
}

export interface KeyInfo extends KeyWish {
  /** Part of the key that is no secret: `mr_<id>_…`. */
  readonly id: string;
  readonly state: 'active' | 'expired' | 'revoked';
  readonly createdMs: number;
  readonly revokedMs: number | null;
  /** Until when the key before the last rotation still works; null: it does not. */
  readonly previousUntilMs: number | null;
}

/** What a key is doing, in a server that runs. */
export interface KeyUse {
  /** Requests under way. */
  readonly running: number;
  readonly todayUsd: number;
  readonly monthUsd: number;
  /** Milliseconds since 1970; null: not since the server started. */
  readonly lastUsedMs: number | null;
}

/** A row of `GET /api/keys`. */
export interface KeyRow extends KeyInfo {
  readonly use: KeyUse;
}

/** A new key: the only time that its secret is shown. `POST /api/keys`, `POST /api/keys/{id}/rotate`. */
export interface NewKey {
  readonly key: KeyInfo;
  /** What goes into `Authorization: Bearer …`. */
  readonly secret: string;
}

/** Who uses the page. `GET /api/session`; `POST /api/session` with a key signs in, `DELETE` out. */
export interface SessionInfo {
  /** Null: a key is needed, and none was shown. */
  readonly tenant: string | null;
  /** Id of the key; null: whoever is at the machine itself needs none. */
  readonly keyId: string | null;
  /** May use the console. */
  readonly admin: boolean;
}

/** A code by which a new device gets a key once. `POST /api/pairing`. */
export interface PairingCode {
  /** Six digits. */
  readonly code: string;
  readonly expiresMs: number;
}

/** Something an administrator did, or tried to. A line of `audit.log`; `GET /api/audit` gives the last ones. */
export interface AuditEntry {
  /** Milliseconds since 1970. */
  readonly atMs: number;
  readonly tenant: string;
  readonly keyId: string | null;
  readonly address: string;
  /** Such as `POST /api/keys/:id/rotate`. */
  readonly action: string;
  /** What it was done to, from the path; null where the action says it. */
  readonly subject: string | null;
  readonly status: number;
}

/** Whether other machines may use the server, and how they find it. `GET /api/lan`; `PUT /api/lan` with `enabled` turns the switch. */
export interface LanStatus {
  readonly enabled: boolean;
  /** By which it is announced, such as `millrace-box.local`. */
  readonly name: string;
  /** Null while the switch is off. */
  readonly url: string | null;
  /** Of this machine, for networks without mDNS. */
  readonly addresses: readonly string[];
  /** SHA-256 of the authority's certificate, to compare on the device that is to trust it. */
  readonly fingerprint: string | null;
}
