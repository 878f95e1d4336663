// Decides who asks: the person at this machine, the holder of a key, or nobody known; and what they may do. Pure.
import type { EndpointScope, Priority } from '../contract.ts';
import { judgeKey, type KeyRecord, type KeyTable } from './key.ts';
import { keyIdOf } from './secret.ts';

/** On whose behalf a request runs. */
export interface Caller {
  readonly tenant: string;
  /** Null: nobody needs a key at this machine itself. */
  readonly key: KeyRecord | null;
}

/** Whoever uses the machine itself. */
export const LOCAL: Caller = { tenant: 'local', key: null };
/** Name under which requests are recorded whose caller is not known. */
export const UNKNOWN_TENANT = 'unknown';

export interface Credentials {
  /** The key that was presented; null: none. */
  readonly presented: string | null;
  /** The connection comes from this machine, and no proxy says that it speaks for another one. */
  readonly isLocal: boolean;
}

export interface CallerRules {
  readonly keys: KeyTable;
  /** Nobody enters without a key, not even from this machine. */
  readonly requireKey: boolean;
}

export type Identified = { readonly kind: 'known'; readonly caller: Caller } | { readonly kind: 'unknown'; readonly reason: string };

const HOW = 'Send one as `Authorization: Bearer KEY`; `millrace key create --tenant NAME` makes one.';

/** Text that is not of the form of our keys counts as no key at this machine itself: clients of OpenAI's API cannot do without one. */
export function identifyCaller({ presented, isLocal }: Credentials, { keys, requireKey }: CallerRules, nowMs: number): Identified {
  const mayEnter = isLocal && !requireKey;
  if (mayEnter && (presented === null || keyIdOf(presented) === null)) return { kind: 'known', caller: LOCAL };
  if (presented === null) return { kind: 'unknown', reason: `This server needs an API key. ${HOW}` };
  const verdict = judgeKey(presented, keys, nowMs);
  return verdict.kind === 'valid' ? knownBy(verdict.key) : { kind: 'unknown', reason: `${verdict.reason} ${HOW}` };
}

export function knownBy(key: KeyRecord): Extract<Identified, { kind: 'known' }> {
  return { kind: 'known', caller: { tenant: key.tenant, key } };
}

/** What a path is for: open to everybody, a part of the API, or the console, which steers the server. */
export type Door =
  | { readonly kind: 'open' }
  | { readonly kind: 'api'; readonly endpoint: string }
  | { readonly kind: 'metrics' }
  | { readonly kind: 'console' };

/** Why this caller may not pass; null: they may. */
export function refusesDoor({ key }: Caller, door: Door): string | null {
  if (key === null || door.kind === 'open') return null;
  if (door.kind === 'console')
    return key.scopes.admin ? null : `The API key ${key.id} may not use the console; that takes the scope admin.`;
  const { endpoints, admin } = key.scopes;
  if (door.kind === 'metrics')
    return admin || endpoints?.includes('metrics') === true
      ? null
      : `The API key ${key.id} may not read the metrics of all; that takes the scope metrics.`;
  if (endpoints === null || endpoints.some((scope: EndpointScope) => scope === door.endpoint)) return null;
  return `The API key ${key.id} may not use ${door.endpoint}; it is for ${endpoints.join(', ')}.`;
}

/** Whether a caller may use a model by this name; `auto` and its tiers are names too, and so is a variant of a model, `name:int8`. */
export function mayUseModel({ key }: Pick<Caller, 'key'>, model: string): boolean {
  const models = key?.scopes.models ?? null;
  return models === null || models.includes(model) || models.includes(model.split(/[:@]/)[0] ?? model);
}

export function priorityOf({ key }: Pick<Caller, 'key'>): Priority {
  return key?.priority ?? 'interactive';
}
