// A batcher on a fake device and a clock of its own: a run takes as long as the cost model says, and every row is a hash of its text.
import { Batcher, type BatcherOptions, type TextsOfRequest } from '../../../engine/runner/encoder/batcher.ts';
import { batchMs, type CostModel } from '../../../engine/runner/encoder/cost.ts';
import type { EncoderSession, EncoderText } from '../../../engine/runner/encoder/encoder-session.ts';
import type { BatchDecision, BatchLimits } from '../../../engine/runner/encoder/plan-batch.ts';
import type { EngineError } from '../../../engine/errors.ts';
import type { EncodedBatch } from '../../../engine/runner/protocol.ts';

export const COST: CostModel = { baseMs: 4, tokenMs: 0.1, attentionMs: 0 };
export const LIMITS: BatchLimits = { maxBatchSize: 8, maxWaitMs: 50, tokenBudget: 200 };

/** Time that stands still until `advance`; what is due happens in order, with all promises settled in between. */
export class Clock {
  nowMs = 0;
  #alarms: { readonly atMs: number; readonly ring: () => void }[] = [];

  after(delayMs: number, ring: () => void): () => void {
    const alarm = { atMs: this.nowMs + delayMs, ring };
    this.#alarms.push(alarm);
    return () => (this.#alarms = this.#alarms.filter((other) => other !== alarm));
  }

  /** Runs what is due until `untilMs`; Infinity runs until nothing is due. */
  async advance(untilMs: number): Promise<void> {
    await settled();
    for (;;) {
      const next = this.#alarms.toSorted((a, b) => a.atMs - b.atMs)[0];
      if (next === undefined || next.atMs > untilMs) break;
      this.#alarms = this.#alarms.filter((alarm) => alarm !== next);
      this.nowMs = Math.max(this.nowMs, next.atMs);
      next.ring();
      await settled();
    }
    if (Number.isFinite(untilMs)) this.nowMs = Math.max(this.nowMs, untilMs);
  }
}

async function settled(): Promise<void> {
  for (let turn = 0; turn < 8; turn++) await Promise.resolve();
}

export interface Run {
  readonly startedMs: number;
  readonly endedMs: number;
  readonly tokenCounts: readonly number[];
}

/** Width 1: the row of a text is a hash of its tokens. Refuses a run while another is under way. */
export class FakeEncoder implements EncoderSession {
  readonly width = 1;
  readonly runs: Run[] = [];
  readonly #clock: Clock;
  #busy = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  run(texts: readonly EncoderText[]): Promise<Float32Array> {
    if (this.#busy || texts.length === 0) throw new Error('Two runs at once, or an empty one.');
    this.#busy = true;
    const tokenCounts = texts.map(({ tokens }) => tokens.length);
    const ms = batchMs(COST, tokenCounts);
    this.runs.push({ startedMs: this.#clock.nowMs, endedMs: this.#clock.nowMs + ms, tokenCounts });
    return new Promise((resolve) => {
      this.#clock.after(ms, () => {
        this.#busy = false;
        resolve(Float32Array.from(texts, ({ tokens }) => hashOf(tokens)));
      });
    });
  }

  dispose(): void {
    this.#busy = true;
  }
}

export function hashOf(tokens: Int32Array): number {
  return tokens.reduce((hash, token) => (hash * 31 + token) % 65_521, tokens.length);
}

export interface Row {
  readonly id: number;
  readonly input: number;
  readonly value: number;
  readonly deviceMs: number;
  readonly atMs: number;
}

export function createBatcher(changes: Partial<BatcherOptions> = {}) {
  const clock = new Clock();
  const session = new FakeEncoder(clock);
  const rows: Row[] = [];
  const refusals: { readonly id: number; readonly error: EngineError; readonly atMs: number }[] = [];
  const decisions: (BatchDecision & { readonly atMs: number })[] = [];
  const missing = new Map<number, number>();
  const takeRow = (row: Row): void => {
    rows.push(row);
    const left = (missing.get(row.id) ?? 0) - 1;
    missing.set(row.id, left);
    // A request that has all its rows leaves, as the runner sees to it.
    if (left === 0) batcher.drop(row.id);
  };
  const submit = (request: TextsOfRequest): void => {
    missing.set(request.id, (missing.get(request.id) ?? 0) + request.texts.length);
    batcher.add(request);
  };
  const batcher: Batcher = new Batcher({
    session,
    limits: LIMITS,
    cost: COST,
    now: () => clock.nowMs,
    after: (delayMs, wake) => clock.after(delayMs, wake),
    onRows: (batch: EncodedBatch) =>
      batch.rows.forEach(({ id, input, deviceMs }, at) =>
        takeRow({ id, input, deviceMs, value: batch.values[at] ?? Number.NaN, atMs: clock.nowMs }),
      ),
    onRefused: (id, error) => refusals.push({ id, error, atMs: clock.nowMs }),
    onDecision: (decision) => decisions.push({ ...decision, atMs: clock.nowMs }),
    ...changes,
  });
  return { batcher, submit, clock, session, rows, refusals, decisions };
}

/** A text of this many tokens that no other text has. */
export function textOf(id: number, input: number, tokenCount: number): EncoderText {
  return { tokens: Int32Array.from({ length: tokenCount }, (_, at) => (id * 131 + input * 17 + at) % 1000), secondStart: tokenCount };
}
