// Owns the delivery of alerts to a webhook: signed as Standard Webhooks says (https://www.standardwebhooks.com), retried with back-off.
// The address is the user's own and may lie on the LAN; redirects are not followed, answers are not read.
import { createHmac, randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import type { WebhookTest } from '../../contract.ts';
import type { Log } from '../../log.ts';
import type { AlertChange } from './evaluate.ts';

export interface WebhookTarget {
  readonly url: string;
  /** `whsec_` and base64, or any text; null: unsigned. */
  readonly secret: string | null;
}

export interface WebhookOptions {
  readonly log: Log;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  /** Resolves after so many ms, or rejects when the signal ends. */
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<void>;
  /** For one try. */
  readonly timeoutMs?: number;
}

interface Message {
  readonly id: string;
  readonly target: WebhookTarget;
  readonly body: string;
}

type Attempt = WebhookTest | { readonly kind: 'retry'; readonly reason: string };

/** Waits between tries; one try more than there are waits. */
const RETRY_WAITS_MS = [1_000, 5_000, 30_000, 120_000] as const;
const DEFAULT_TIMEOUT_MS = 10_000;
/** Messages that wait for their turn; of more, the oldest are given up. */
const MAX_QUEUED = 50;

/** Sends messages one after the other, in the order they were given. */
export class Webhook {
  readonly #log: Log;
  readonly #now: () => number;
  readonly #wait: NonNullable<WebhookOptions['wait']>;
  readonly #timeoutMs: number;
  readonly #queue: Message[] = [];
  readonly #closed = new AbortController();
  #sending: Promise<void> | null = null;

  constructor({ log, now = Date.now, wait = waitFor, timeoutMs = DEFAULT_TIMEOUT_MS }: WebhookOptions) {
    this.#log = log;
    this.#now = now;
    this.#wait = wait;
    this.#timeoutMs = timeoutMs;
  }

  /** Returns at once; what came of it is logged. */
  send(target: WebhookTarget, change: AlertChange): void {
    if (this.#closed.signal.aborted) return;
    this.#queue.push({ id: `msg_${randomUUID()}`, target, body: messageBody(change, this.#now()) });
    const dropped = this.#queue.splice(0, Math.max(0, this.#queue.length - MAX_QUEUED));
    if (dropped.length > 0) this.#log.warn({ dropped: dropped.length }, 'alerts were not sent to the webhook: too many wait');
    this.#sending ??= this.#drain().finally(() => (this.#sending = null));
  }

  /** Tries once, with a message of the type `test`. */
  async test(target: WebhookTarget): Promise<WebhookTest> {
    const timestamp = new Date(this.#now()).toISOString();
    const body = JSON.stringify({ type: 'test', timestamp, data: { sentence: 'A test of the alert webhook.' } });
    const attempt = await this.#try({ id: `msg_${randomUUID()}`, target, body });
    return attempt.kind === 'retry' ? { kind: 'failed', reason: attempt.reason } : attempt;
  }

  /** Gives up what waits. Resolves when nothing is under way. */
  async close(): Promise<void> {
    this.#closed.abort();
    this.#queue.length = 0;
    await this.#sending;
  }

  async #drain(): Promise<void> {
    for (let message = this.#queue.shift(); message !== undefined; message = this.#queue.shift()) {
      const result = await this.#deliver(message);
      const { id } = message;
      if (result.kind === 'delivered') this.#log.debug({ id, status: result.status }, 'alert sent to the webhook');
      else this.#log.warn({ id, reason: result.reason }, 'an alert could not be sent to the webhook');
    }
  }

  async #deliver(message: Message): Promise<WebhookTest> {
    for (const waitMs of [...RETRY_WAITS_MS, null]) {
      const attempt = await this.#try(message);
      if (attempt.kind !== 'retry') return attempt;
      if (waitMs === null) return { kind: 'failed', reason: attempt.reason };
      if (!(await this.#pause(waitMs))) break;
    }
    return { kind: 'failed', reason: 'the server is ending' };
  }

  /** False when it ended early because of `close`. */
  async #pause(ms: number): Promise<boolean> {
    try {
      await this.#wait(ms, this.#closed.signal);
      return true;
    } catch (cause) {
      if (this.#closed.signal.aborted) return false;
      throw cause;
    }
  }

  async #try({ id, target, body }: Message): Promise<Attempt> {
    const seconds = Math.floor(this.#now() / 1000);
    const signature = target.secret === null ? {} : { 'webhook-signature': sign({ id, seconds, body, secret: target.secret }) };
    const headers = { 'content-type': 'application/json', 'webhook-id': id, 'webhook-timestamp': String(seconds), ...signature };
    const signal = AbortSignal.any([AbortSignal.timeout(this.#timeoutMs), this.#closed.signal]);
    try {
      const response = await fetch(target.url, { method: 'POST', headers, body, redirect: 'manual', signal });
      await response.body?.cancel();
      return judgeStatus(response.status);
    } catch (cause) {
      return { kind: 'retry', reason: reasonOf(cause, this.#timeoutMs) };
    }
  }
}

/** The `webhook-signature` of a message: HMAC-SHA256 over `id.timestamp.body`, in base64. */
export function sign(message: { readonly id: string; readonly seconds: number; readonly body: string; readonly secret: string }): string {
  const { id, seconds, body, secret } = message;
  const key = secret.startsWith('whsec_') ? Buffer.from(secret.slice('whsec_'.length), 'base64') : Buffer.from(secret, 'utf8');
  return `v1,${createHmac('sha256', key).update(`${id}.${seconds}.${body}`).digest('base64')}`;
}

/** An answer that says "you are wrong" will say so again; overload and faults of the other side may pass. */
function judgeStatus(status: number): Attempt {
  if (status >= 200 && status < 300) return { kind: 'delivered', status };
  const reason = `it answered with status ${status}`;
  if (status >= 300 && status < 400) return { kind: 'failed', reason: `${reason}: redirects are not followed` };
  return status >= 500 || status === 408 || status === 429 ? { kind: 'retry', reason } : { kind: 'failed', reason };
}

function reasonOf(cause: unknown, timeoutMs: number): string {
  if (!(cause instanceof Error)) return String(cause);
  if (cause.name === 'TimeoutError') return `no answer within ${timeoutMs / 1000} s`;
  return cause.cause instanceof Error ? cause.cause.message : cause.message;
}

/** The alert and nothing else: no address, key, prompt or name of this machine. */
function messageBody({ kind, alert }: AlertChange, nowMs: number): string {
  const { id, ruleId, name, subject, sinceMs, endedMs, value, peak, threshold, sentence, remedy } = alert;
  const since = new Date(sinceMs).toISOString();
  const ended = endedMs === null ? null : new Date(endedMs).toISOString();
  const data = { id, rule: ruleId, name, subject, since, ended, value, peak, threshold, sentence, remedy };
  return JSON.stringify({ type: `alert.${kind}`, timestamp: new Date(nowMs).toISOString(), data });
}

function waitFor(ms: number, signal: AbortSignal): Promise<void> {
  return setTimeout(ms, undefined, { signal, ref: false });
}
