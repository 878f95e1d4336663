// Owns what is known of one position's distribution without reading all of it: the graph's top 64 and log-sum-exp, with a request's
// sparse edits applied. Says where its knowledge ends.
import type { LogitsRow } from '../decoder-session.ts';
import type { TokenFilter } from '../grammar/token-filter.ts';
import type { LogitEdits } from './logit-edits.ts';

/** Below this share of mass left after edits are taken out, float32 cancellation makes the corrected sum inexact. */
const MIN_REMAINING_SHARE = 0.01;
/** What the graph's float32 sum may be off, as a share of it. */
const ROUNDING = 1e-5;

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
  readonly #filter: TokenFilter | null;
  /** The ranked tokens before those that the filter forbids are left out. */
  readonly #all: { readonly tokens: ArrayLike<number>; readonly values: ArrayLike<number> };
  #edited: Float32Array | null = null;
  #logSumExp: number | null = null;

  constructor(row: LogitsRow, edits: LogitEdits | null, filter: TokenFilter | null = null) {
    this.#row = row;
    this.#edits = edits !== null && edits.size > 0 ? edits : null;
    this.#filter = filter;
    this.#all = this.#edits === null ? { tokens: row.topIndices, values: row.topValues } : rankEdited(row, this.#edits);
    const { tokens, values } = filter === null ? this.#all : allowed(this.#all, filter);
    this.tokens = tokens;
    this.values = values;
  }

  /** Log of the sum of exp(edited logit · inverse temperature) over the tokens that are allowed. */
  get logSumExp(): number {
    this.#logSumExp ??= this.#knownLogSumExp() ?? scanLogSumExp(this.editedRow(), this.#row.inverseTemperature);
    return this.#logSumExp;
  }

  /**
   * What `logSumExp` lies between, without reading the row or asking the filter about all tokens: at least the ranked tokens that are
   * allowed, at most those and every token that is not ranked.
   */
  get logSumExpBounds(): readonly [least: number, most: number] {
    if (this.#filter === null || this.#logSumExp !== null) return [this.logSumExp, this.logSumExp];
    const total = this.#correctedLogSumExp();
    if (total === null) return [this.logSumExp, this.logSumExp];
    const share = (values: ArrayLike<number>): number => {
      let sum = 0;
      for (let rank = 0; rank < values.length; rank++) sum += Math.exp((values[rank] ?? -Infinity) * this.#row.inverseTemperature - total);
      return sum;
    };
    const [ranked, kept] = [share(this.#all.values), share(this.values)];
    return [total + Math.log(kept), total + Math.log(kept + Math.max(0, 1 - ranked) + ROUNDING)];
  }

  /** All logits with the edits applied; -Infinity for tokens that are not allowed. */
  editedRow(): Float32Array {
    if (this.#edits === null && this.#filter === null) return this.#row.logits;
    this.#edited ??= this.#editRow();
    return this.#edited;
  }

  #editRow(): Float32Array {
    const edited = this.#row.logits.slice();
    for (const token of this.#edits?.tokens() ?? []) edited[token] = this.#edits?.apply(token, edited[token] ?? -Infinity) ?? 0;
    if (this.#filter !== null) forbid(edited, this.#filter.mask());
    return edited;
  }

  #knownLogSumExp(): number | null {
    return this.#filter === null ? this.#correctedLogSumExp() : null;
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
function rankEdited({ topValues, topIndices, logits }: LogitsRow, edits: LogitEdits): { tokens: number[]; values: number[] } {
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
  ranked.sort((a, b) => b.value - a.value || a.token - b.token);
  return { tokens: ranked.map(({ token }) => token), values: ranked.map(({ value }) => value) };
}

function allowed(
  { tokens, values }: { readonly tokens: ArrayLike<number>; readonly values: ArrayLike<number> },
  filter: TokenFilter,
): { tokens: number[]; values: number[] } {
  const ranks = Array.from(tokens, (token, rank) => (filter.allows(token) ? rank : -1)).filter((rank) => rank >= 0);
  return { tokens: ranks.map((rank) => tokens[rank] ?? 0), values: ranks.map((rank) => values[rank] ?? -Infinity) };
}

function forbid(row: Float32Array, mask: Uint32Array): void {
  for (let token = 0; token < row.length; token++) {
    const word = mask[token >>> 5] ?? 0;
    if (word === 0xffffffff && (token & 31) === 0) token += 31;
    else if (((word >>> (token & 31)) & 1) === 0) row[token] = -Infinity;
  }
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
