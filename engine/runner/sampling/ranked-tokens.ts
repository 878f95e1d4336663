// Owns what is known of one position's distribution without reading all of it: the graph's top 64 and log-sum-exp, with a request's
// sparse edits applied. Says where its knowledge ends.
import type { LogitsRow } from '../decoder-session.ts';
import type { LogitEdits } from './logit-edits.ts';

/** Below this share of mass left after edits are taken out, float32 cancellation makes the corrected sum inexact. */
const MIN_REMAINING_SHARE = 0.01;

interface Ranked {
  readonly token: number;
  readonly value: number;
}

export class RankedTokens {
  readonly #row: LogitsRow;
  readonly #edits: LogitEdits | null;
  /** The most likely tokens in falling order, ties by the lower index; every token not among them ranks below. May be empty. */
  readonly tokens: ArrayLike<number>;
  /** Edited logits of `tokens`, not scaled. */
  readonly values: ArrayLike<number>;
  #edited: Float32Array | null = null;
  #logSumExp: number | null = null;

  constructor(row: LogitsRow, edits: LogitEdits | null) {
    this.#row = row;
    this.#edits = edits !== null && edits.size > 0 ? edits : null;
    if (this.#edits === null) {
      this.tokens = row.topIndices;
      this.values = row.topValues;
      return;
    }
    const ranked = rankEdited(row, this.#edits);
    this.tokens = ranked.map(({ token }) => token);
    this.values = ranked.map(({ value }) => value);
  }

  /** Log of the sum of exp(edited logit · inverse temperature) over the vocabulary. */
  get logSumExp(): number {
    this.#logSumExp ??= this.#correctedLogSumExp() ?? scanLogSumExp(this.editedRow(), this.#row.inverseTemperature);
    return this.#logSumExp;
  }

  /** All logits with the edits applied. */
  editedRow(): Float32Array {
    if (this.#edits === null) return this.#row.logits;
    if (this.#edited === null) {
      this.#edited = this.#row.logits.slice();
      for (const token of this.#edits.tokens()) this.#edited[token] = this.#edits.apply(token, this.#edited[token] ?? -Infinity);
    }
    return this.#edited;
  }

  /** The graph's sum with the edited tokens' terms exchanged; null where too little of it remains to be exact. */
  #correctedLogSumExp(): number | null {
    const { logits, logSumExp, inverseTemperature } = this.#row;
    if (this.#edits === null) return logSumExp;
    let removed = 0;
    let added = 0;
    for (const token of this.#edits.tokens()) {
      const logit = logits[token] ?? -Infinity;
      removed += Math.exp(logit * inverseTemperature - logSumExp);
      added += Math.exp(this.#edits.apply(token, logit) * inverseTemperature - logSumExp);
    }
    return 1 - removed < MIN_REMAINING_SHARE || !Number.isFinite(added) ? null : logSumExp + Math.log(1 - removed + added);
  }
}

// NOTE: a token without edits outside the top 64 ranks below the 64th. So an edited token is in its true place as long as it ranks
// above the 64th as that was before edits; one that falls lower may have unknown neighbours and is left out.
function rankEdited({ topValues, topIndices, logits }: LogitsRow, edits: LogitEdits): readonly Ranked[] {
  const lastValue = topValues.at(-1) ?? -Infinity;
  const lastToken = topIndices.at(-1) ?? -1;
  const ranked: Ranked[] = [];
  topIndices.forEach((token, rank) => {
    if (!edits.has(token)) ranked.push({ token, value: topValues[rank] ?? -Infinity });
  });
  for (const token of edits.tokens()) {
    const value = edits.apply(token, logits[token] ?? -Infinity);
    if (value > lastValue || (value === lastValue && token <= lastToken)) ranked.push({ token, value });
  }
  return ranked.sort((a, b) => b.value - a.value || a.token - b.token);
}

/** The largest value and the lowest index it stands at. */
export function findLargest(values: ArrayLike<number>): Ranked {
  let best = { token: 0, value: values[0] ?? -Infinity };
  for (let token = 1; token < values.length; token++) {
    const value = values[token] ?? -Infinity;
    if (value > best.value) best = { token, value };
  }
  return best;
}

/** log Σ exp(value · scale) */
export function scanLogSumExp(values: Float32Array, scale: number): number {
  const largest = findLargest(values).value;
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += Math.exp(((values[i] ?? -Infinity) - largest) * scale);
  return largest * scale + Math.log(sum);
}
