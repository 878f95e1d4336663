// Owns what keys are doing now: rates, requests under way, what they spent. The one way into the room for the gateway.
// Knows nothing about HTTP beyond the names of its headers.
import type { KeyInfo, KeyRow, KeyWish, NewKey } from '../contract.ts';
import { EngineError } from '../errors.ts';
import { decideAdmission, type KeyUsage, type LimitHeaders } from './admission.ts';
import type { AuditLog } from './audit-log.ts';
import { decideBudget, type BudgetDecision } from './budget.ts';
import { identifyCaller, knownBy, type Caller, type Credentials, type Identified } from './caller.ts';
import { isUsable, type KeyRecord } from './key.ts';
import type { Keys } from './keys.ts';
import { Pairing } from './pairing.ts';
import { filled, fullBucket, taken } from './rate.ts';
import { Sessions } from './sessions.ts';
import type { Spending } from './spending.ts';

export interface AccessOptions {
  readonly keys: Keys;
  readonly spending: Spending;
  readonly audit: AuditLog;
  /** Nobody enters without a key, not even from this machine. */
  readonly requireKey: boolean;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** What a request is let in with. */
export interface Ticket {
  readonly headers: LimitHeaders;
  readonly budget: BudgetDecision;
  /** The request is over, and used so many tokens. Safe to call twice. */
  release(usedTokens: number): void;
}

/** A limit of a key refuses a request; what is left of the rates is told all the same. */
export class LimitError extends EngineError {
  readonly headers: LimitHeaders;

  constructor(
    error: { readonly code: EngineError['code']; readonly message: string },
    options: { param: string; retryAfterSeconds: number; headers: LimitHeaders },
  ) {
    super(error.code, error.message, options);
    this.headers = options.headers;
  }
}

/** What one finished request cost. */
export interface RequestSpend {
  readonly upstreamUsd: number;
  /** Energy and hardware of this machine. */
  readonly localUsd: number;
}

interface KeyState {
  usage: KeyUsage;
  lastUsedMs: number | null;
}

const NO_LIMITS: Ticket = {
  headers: {},
  budget: { upstreamUsdLeft: null, isDegraded: false, blocked: null },
  release: () => undefined,
};

export class Access {
  readonly #options: AccessOptions;
  readonly #states = new Map<string, KeyState>();
  readonly #sessions: Sessions;
  /** How a new device gets a key. */
  readonly pairing: Pairing;

  constructor(options: AccessOptions) {
    this.#options = options;
    this.#sessions = new Sessions(options.now);
    this.pairing = new Pairing(options.now);
  }

  /** What administrators did. */
  get audit(): AuditLog {
    return this.#options.audit;
  }

  /** Whether the server may listen beyond this machine. */
  get hasUsableKey(): boolean {
    return this.#options.keys.hasUsable;
  }

  /** Who asks, by a key or by the session of a page. */
  identify(credentials: Credentials & { readonly session: string | null }): Identified {
    const { keys, requireKey, now } = this.#options;
    if (credentials.presented === null && credentials.session !== null) {
      const key = keys.table.get(this.#sessions.keyOf(credentials.session) ?? '');
      if (key !== undefined && isUsable(key, now())) return knownBy(key);
    }
    return identifyCaller(credentials, { keys: keys.table, requireKey }, now());
  }

  /** The holder of a key by its id, for work that outlives the request which began it. */
  holderOf(keyId: string): Identified {
    const { keys, now } = this.#options;
    const key = keys.table.get(keyId);
    if (key !== undefined && isUsable(key, now())) return knownBy(key);
    return { kind: 'unknown', reason: `The API key ${keyId} is not valid any more.` };
  }

  /** What the budget of a key allows, for work to which its rates do not apply. @throws EngineError `insufficient_quota` */
  admitBackground({ key }: Caller): BudgetDecision {
    if (key === null) return NO_LIMITS.budget;
    const budget = decideBudget(key.limits, this.#options.spending.of(key.id), this.#options.now());
    if (budget.blocked === null) return budget;
    throw new EngineError('insufficient_quota', `The budget of the API key ${key.id} is spent.`, { param: budget.blocked.limit });
  }

  /** A session for a page whose user has shown this key. */
  openSession(key: KeyRecord): { readonly session: string; readonly maxAgeSeconds: number } {
    return this.#sessions.open(key.id);
  }

  /** @throws LimitError `rate_limit_exceeded`, `insufficient_quota` */
  admit({ key }: Caller, foreseenTokens: number): Ticket {
    if (key === null) return NO_LIMITS;
    const { now, spending } = this.#options;
    const state = this.#stateOf(key);
    const budget = decideBudget(key.limits, spending.of(key.id), now());
    const admission = decideAdmission({ keyId: key.id, limits: key.limits, usage: state.usage, budget, foreseenTokens }, now());
    if (admission.kind === 'refused') {
      const { code, limit, reason, retryAfterSeconds } = admission.refusal;
      throw new LimitError({ code, message: reason }, { param: limit, retryAfterSeconds, headers: admission.headers });
    }
    state.usage = admission.usage;
    state.lastUsedMs = now();
    return { headers: admission.headers, budget, release: this.#releaser(key, state, foreseenTokens) };
  }

  /** What a request of this key cost. */
  spent(keyId: string, { upstreamUsd, localUsd }: RequestSpend): void {
    const counts = this.#options.keys.table.get(keyId)?.limits.countsLocalCost === true;
    this.#options.spending.add(keyId, upstreamUsd + (counts ? localUsd : 0));
  }

  list(): readonly KeyRow[] {
    const { keys, spending } = this.#options;
    return keys.list().map((key) => {
      const { todayUsd, monthUsd } = spending.of(key.id);
      const state = this.#states.get(key.id);
      return { ...key, use: { running: state?.usage.running ?? 0, todayUsd, monthUsd, lastUsedMs: state?.lastUsedMs ?? null } };
    });
  }

  /** @throws EngineError `invalid_request` naming the field, `access_unavailable` */
  create(wish: KeyWish): Promise<NewKey> {
    return this.#options.keys.create(wish);
  }

  /** @throws EngineError `key_not_found`, `access_unavailable` */
  rotate(id: string, graceMs: number): Promise<NewKey> {
    return this.#options.keys.rotate(id, graceMs);
  }

  /** @throws EngineError `key_not_found`, `access_unavailable` */
  revoke(id: string): Promise<KeyInfo> {
    return this.#options.keys.revoke(id);
  }

  #releaser({ limits }: KeyRecord, state: KeyState, foreseenTokens: number): Ticket['release'] {
    let isOver = false;
    return (usedTokens) => {
      if (isOver) return;
      isOver = true;
      const { requests, tokens, running } = state.usage;
      const perMinute = limits.tokensPerMinute;
      const settled = perMinute === null ? tokens : taken(filled(tokens, perMinute, this.#options.now()), usedTokens - foreseenTokens);
      state.usage = { requests, tokens: settled, running: running - 1 };
    };
  }

  #stateOf({ id, limits }: KeyRecord): KeyState {
    const known = this.#states.get(id);
    if (known !== undefined) return known;
    const nowMs = this.#options.now();
    const requests = fullBucket(limits.requestsPerMinute ?? 0, nowMs);
    const tokens = fullBucket(limits.tokensPerMinute ?? 0, nowMs);
    const state: KeyState = { usage: { requests, tokens, running: 0 }, lastUsedMs: null };
    this.#states.set(id, state);
    return state;
  }
}
