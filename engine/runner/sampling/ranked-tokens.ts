// Owns the ranking of one position's tokens: the graph's top 64 with a request's edits applied, widened from the full row of
// logits only when a question cannot be answered exactly from them.
import type { LogitsRow } from '../decoder-session.ts';
import type { LogitEdits } from './logit-edits.ts';

/** Below this share of mass left after edits are taken out, float32 cancellation makes the corrected sum inexact. */
const MIN_REMAINING_SHARE = 0.01;

export class RankedTokens {
  readonly #row: LogitsRow;
  readonly #edits: LogitEdits | null;
  #tokens: number[] = [];
  #values: number[] = [];
  #edited: Float32Array | null = null;
  #logSumExp: number | null = null;

  constructor(row: LogitsRow, edits: LogitEdits | null) {
    this.#row = row;
    this.#edits = edits !== null && edits.size > 0 ? edits : null;
    this.#rankTop();
    if (this.#tokens.length === 0) this.widenTo(this.#maximum());
  }

  get vocabSize(): number {
    return this.#row.logits.length;
  }

  /** Tokens known to be the most likely ones, in falling order; at least one. */
  get tokens(): readonly number[] {
    return this.#tokens;
  }

  /** Edited logits of `tokens`, not scaled. */
  get values(): readonly number[] {
    return this.#values;
  }

  /** Largest edited logit. */
  get best(): number {
    return this.#values[0] ?? -Infinity;
  }

  /** Log of the sum of exp(edited logit · inverse temperature) over the vocabulary. */
  get logSumExp(): number {
    this.#logSumExp ??= this.#correctedLogSumExp() ?? scanLogSumExp(this.editedRow(), this.best, this.#row.inverseTemperature);
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

  /** Ranks every token whose edited logit is at least this. */
  widenTo(threshold: number): void {
    const values = this.editedRow();
    const tokens: number[] = [];
    for (let token = 0; token < values.length; token++) if ((values[token] ?? -Infinity) >= threshold) tokens.push(token);
    tokens.sort((a, b) => (values[b] ?? 0) - (values[a] ?? 0) || a - b);
    if (tokens.length < this.#tokens.length) return;
    this.#tokens = tokens;
    this.#values = tokens.map((token) => values[token] ?? -Infinity);
  }

  /** Ranks more tokens until `enough` says so or there are no more. Thresholds fall ever faster, so few scans suffice. */
  widenUntil(enough: () => boolean): void {
    for (let step = 1; !enough() && this.#tokens.length < this.vocabSize; step *= 2) {
      this.widenTo(step > 1000 ? -Infinity : (this.#values.at(-1) ?? this.best) - step / this.#row.inverseTemperature);
    }
  }

  // NOTE: a token without edits outside the top 64 ranks below the 64th. So an edited token is in its true place as long as it
  // ranks above the 64th as that was before edits; one that falls lower may have unknown neighbours and is left out.
  #rankTop(): void {
    const { topValues, topIndices, logits } = this.#row;
    if (this.#edits === null) {
      this.#tokens = Array.from(topIndices);
      this.#values = Array.from(topValues);
      return;
    }
    const edits = this.#edits;
    const lastValue = topValues.at(-1) ?? -Infinity;
    const lastToken = topIndices.at(-1) ?? -1;
    const entries: { token: number; value: number }[] = [];
    topIndices.forEach((token, rank) => {
      if (!edits.has(token)) entries.push({ token, value: topValues[rank] ?? -Infinity });
    });
    for (const token of edits.tokens()) {
      const value = edits.apply(token, logits[token] ?? -Infinity);
      if (value > lastValue || (value === lastValue && token <= lastToken)) entries.push({ token, value });
    }
    entries.sort((a, b) => b.value - a.value || a.token - b.token);
    this.#tokens = entries.map((entry) => entry.token);
    this.#values = entries.map((entry) => entry.value);
  }

  #maximum(): number {
    let maximum = -Infinity;
    for (const value of this.editedRow()) if (value > maximum) maximum = value;
    return maximum;
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

/** log Σ exp(value · scale), given the largest value. */
export function scanLogSumExp(values: Float32Array, largest: number, scale: number): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += Math.exp(((values[i] ?? -Infinity) - largest) * scale);
  return largest * scale + Math.log(sum);
}
