// An honest decoder without arithmetic: its KV holds what was written to it, and its logits are a hash of the KV they are read from.
// A slot moved wrongly, a prefix too long or a padded row in the wrong place changes every later token.
import { setImmediate } from 'node:timers/promises';
import { StepTerminated, type DecoderSession, type LogitsRow, type StepRequest } from '../../engine/runner/decoder-session.ts';

export const VOCAB_SIZE = 300;
const TOP_COUNT = 64;
/** What memory holds before it is written and after it is released. */
const GARBAGE = -1;

export interface FakeOptions {
  readonly slotCount?: number;
  readonly capacity?: number;
  /** Makes positions computed one at a time differ from those computed in chunks, as rounding does in real arithmetic. */
  readonly rounds?: boolean;
}

export class FakeSession implements DecoderSession {
  readonly vocabSize = VOCAB_SIZE;
  readonly slotCount: number;
  readonly capacity: number;
  readonly bytesPerToken = 4;
  readonly tokensPerPage = 4;
  readonly kv: Int32Array[];
  /** Every step as it was asked for. */
  readonly steps: StepRequest[] = [];
  /** Called in the middle of each step. */
  duringStep: () => void = () => undefined;
  readonly #rounds: boolean;
  #isTerminating = false;

  constructor({ slotCount = 4, capacity = 64, rounds = false }: FakeOptions = {}) {
    this.slotCount = slotCount;
    this.capacity = capacity;
    this.#rounds = rounds;
    this.kv = Array.from({ length: slotCount }, () => new Int32Array(capacity).fill(GARBAGE));
  }

  async step(request: StepRequest): Promise<readonly LogitsRow[]> {
    this.#check(request);
    this.steps.push(request);
    this.#isTerminating = false;
    await setImmediate();
    this.duringStep();
    this.#write(request, this.#isTerminating);
    if (this.#isTerminating) throw new StepTerminated('Ended early.');
    const length = request.tokens.length / request.pastLengths.length;
    return Array.from(request.rows, (row, place) => {
      const sequence = Math.floor(row / length);
      const position = (request.pastLengths[sequence] ?? 0) + (row % length);
      const kv = this.kv[request.firstSlot + sequence] ?? new Int32Array();
      return logitsRow(hashOf(kv.subarray(0, position + 1)), request.inverseTemperatures[place] ?? 1);
    });
  }

  terminate(): void {
    this.#isTerminating = true;
  }

  copyRows(from: number, to: number, count: number): void {
    this.kv[to]?.set(this.kv[from]?.subarray(0, count) ?? []);
  }

  releaseRows(slot: number, from: number, to: number): void {
    this.kv[slot]?.fill(GARBAGE, from, to);
  }

  async releaseScratch(): Promise<void> {
    await setImmediate();
    this.kv[0]?.fill(GARBAGE, 0, 1);
  }

  dispose(): void {
    for (const slot of this.kv) slot.fill(GARBAGE);
  }

  #write({ firstSlot, tokens, pastLengths }: StepRequest, isCutShort: boolean): void {
    const length = tokens.length / pastLengths.length;
    pastLengths.forEach((past, sequence) => {
      for (let i = 0; i < length; i++) {
        const slot = this.kv[firstSlot + sequence];
        const token = tokens[sequence * length + i] ?? GARBAGE;
        if (slot !== undefined) slot[past + i] = isCutShort ? GARBAGE : token * 2 + (this.#rounds && length === 1 ? 1 : 0);
      }
    });
  }

  #check({ firstSlot, tokens, pastLengths, rows, inverseTemperatures }: StepRequest): void {
    const batch = pastLengths.length;
    const length = tokens.length / batch;
    const fits = pastLengths.every((past) => past >= 0 && past + length <= this.capacity);
    if (batch < 1 || firstSlot < 0 || firstSlot + batch > this.slotCount || !Number.isInteger(length) || !fits)
      throw new Error('The step does not fit.');
    if (batch > 1 && length > 1) throw new Error('Several tokens for several sequences at once.');
    if (rows.length < 1 || rows.length !== inverseTemperatures.length || rows.some((row) => row >= tokens.length))
      throw new Error('Wrong rows.');
  }
}

/** The hash that positions with this content lead to; `history` as `FakeSession` stores it. */
export function hashOf(history: Int32Array): number {
  let hash = 0x811c9dc5;
  for (const entry of history) hash = Math.imul(hash ^ entry, 0x01000193);
  return hash;
}

/** The row for tokens computed as the fake computes a prompt. */
export function rowAfter(tokens: readonly number[], inverseTemperature = 1): LogitsRow {
  return logitsRow(hashOf(Int32Array.from(tokens, (token) => token * 2)), inverseTemperature);
}

function logitsRow(hash: number, inverseTemperature: number): LogitsRow {
  let state = hash | 1;
  const logits = new Float32Array(VOCAB_SIZE);
  for (let token = 0; token < VOCAB_SIZE; token++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    logits[token] = ((state >>> 0) / 2 ** 32) * 8;
  }
  return rowOf(logits, inverseTemperature);
}

/** What a graph would answer for these logits. */
export function rowOf(logits: Float32Array, inverseTemperature: number): LogitsRow {
  const ranked = Int32Array.from(logits.keys()).sort((a, b) => (logits[b] ?? 0) - (logits[a] ?? 0) || a - b);
  const topIndices = ranked.slice(0, TOP_COUNT);
  const best = logits[topIndices[0] ?? 0] ?? 0;
  const sum = logits.reduce((total, logit) => total + Math.exp((logit - best) * inverseTemperature), 0);
  return {
    logits,
    topIndices,
    topValues: Float32Array.from(topIndices, (token) => logits[token] ?? 0),
    logSumExp: Math.fround(best * inverseTemperature + Math.log(sum)),
    inverseTemperature,
  };
}
