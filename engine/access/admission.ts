// Decides whether a key's limits let a request in now, and what the client is told of them. Pure.
import type { KeyLimits } from '../contract.ts';
import type { ErrorCode } from '../errors.ts';
import type { BudgetDecision } from './budget.ts';
import { filled, taken, waitMs, type Bucket } from './rate.ts';

/** What a key has used up to now. */
export interface KeyUsage {
  readonly requests: Bucket;
  readonly tokens: Bucket;
  readonly running: number;
}

export type Admission =
  | { readonly kind: 'admitted'; readonly usage: KeyUsage; readonly headers: LimitHeaders }
  | { readonly kind: 'refused'; readonly refusal: Refusal; readonly headers: LimitHeaders };

export interface Refusal {
  readonly code: ErrorCode;
  /** Which limit, as keys name it. */
  readonly limit: keyof KeyLimits;
  readonly reason: string;
  readonly retryAfterSeconds: number;
}

/** OpenAI's names for what is left of a rate. */
export type LimitHeaders = Readonly<Record<string, string>>;

export interface AdmissionQuestion {
  readonly keyId: string;
  readonly limits: KeyLimits;
  readonly usage: KeyUsage;
  readonly budget: BudgetDecision;
  /** Tokens that the request will use at least; what it used is settled at its end. */
  readonly foreseenTokens: number;
}

/** Nobody knows how long a request takes; those that run end one by one. */
const CONCURRENCY_RETRY_SECONDS = 1;

export function decideAdmission(question: AdmissionQuestion, nowMs: number): Admission {
  const { limits, foreseenTokens } = question;
  const usage = refilled(question.usage, limits, nowMs);
  const refusal = refusalOf(question, usage, nowMs);
  if (refusal !== null) return { kind: 'refused', refusal, headers: limitHeaders(limits, usage) };
  const next: KeyUsage = {
    requests: limits.requestsPerMinute === null ? usage.requests : taken(usage.requests, 1),
    tokens: limits.tokensPerMinute === null ? usage.tokens : taken(usage.tokens, foreseenTokens),
    running: usage.running + 1,
  };
  return { kind: 'admitted', usage: next, headers: limitHeaders(limits, next) };
}

function refilled(usage: KeyUsage, { requestsPerMinute, tokensPerMinute }: KeyLimits, nowMs: number): KeyUsage {
  return {
    ...usage,
    requests: filled(usage.requests, requestsPerMinute ?? 0, nowMs),
    tokens: filled(usage.tokens, tokensPerMinute ?? 0, nowMs),
  };
}

function refusalOf({ keyId, limits, budget, foreseenTokens }: AdmissionQuestion, usage: KeyUsage, nowMs: number): Refusal | null {
  const { requestsPerMinute, tokensPerMinute, concurrency } = limits;
  if (budget.blocked !== null) return overBudget(keyId, budget.blocked, nowMs);
  if (requestsPerMinute !== null) {
    const wait = waitMs(usage.requests, requestsPerMinute, 1);
    if (wait > 0) return overRate('requestsPerMinute', `${requestsPerMinute} requests a minute`, keyId, wait);
  }
  if (tokensPerMinute !== null) {
    const wait = waitMs(usage.tokens, tokensPerMinute, Math.max(1, foreseenTokens));
    if (wait > 0) return overRate('tokensPerMinute', `${tokensPerMinute} tokens a minute`, keyId, wait);
  }
  if (concurrency === null || usage.running < concurrency) return null;
  const reason = `The API key ${keyId} may have ${concurrency} requests under way at once, and has.`;
  return { code: 'rate_limit_exceeded', limit: 'concurrency', reason, retryAfterSeconds: CONCURRENCY_RETRY_SECONDS };
}

function overRate(limit: keyof KeyLimits, rate: string, keyId: string, wait: number): Refusal {
  const retryAfterSeconds = Math.ceil(wait / 1000);
  const reason = `The API key ${keyId} may use ${rate}; come back in ${retryAfterSeconds} s.`;
  return { code: 'rate_limit_exceeded', limit, reason, retryAfterSeconds };
}

function overBudget(keyId: string, { limit, untilMs }: NonNullable<BudgetDecision['blocked']>, nowMs: number): Refusal {
  const reason = `The budget of the API key ${keyId} is spent until ${new Date(untilMs).toISOString()}.`;
  return { code: 'insufficient_quota', limit, reason, retryAfterSeconds: Math.ceil((untilMs - nowMs) / 1000) };
}

function limitHeaders({ requestsPerMinute, tokensPerMinute }: KeyLimits, { requests, tokens }: KeyUsage): LimitHeaders {
  return { ...rateHeaders('requests', requestsPerMinute, requests), ...rateHeaders('tokens', tokensPerMinute, tokens) };
}

function rateHeaders(name: string, perMinute: number | null, bucket: Bucket): LimitHeaders {
  if (perMinute === null) return {};
  return {
    [`x-ratelimit-limit-${name}`]: String(perMinute),
    [`x-ratelimit-remaining-${name}`]: String(Math.max(0, Math.floor(bucket.level))),
    [`x-ratelimit-reset-${name}`]: spanOf(waitMs(bucket, perMinute, perMinute)),
  };
}

/** A span as OpenAI's headers spell it: `6m0s`, `1.5s`, `12ms`. */
function spanOf(ms: number): string {
  if (ms < 1000) return `${Math.ceil(ms)}ms`;
  const seconds = Math.ceil(ms / 100) / 10;
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${Math.floor(seconds % 60)}s`;
}
