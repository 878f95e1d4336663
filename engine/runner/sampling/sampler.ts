// Owns the choice of a sequence's next token. Exact: what the graph's top 64 cannot decide is read from the full row.
// Knows nothing about text. Order: penalties and bias, temperature, top_k, top_p, min_p, typical; each renormalises.
import type { LogitsRow } from '../decoder-session.ts';
import type { SamplingParams } from '../protocol.ts';
import { drawFromRow } from './full-row.ts';
import { LogitEdits } from './logit-edits.ts';
import { findLargest, RankedTokens } from './ranked-tokens.ts';
import { uniformAt } from './uniform.ts';

export interface SamplerOptions {
  readonly params: SamplingParams;
  readonly promptTokens: Iterable<number>;
  readonly seed: bigint;
  /** Which of a request's answers this is. */
  readonly choice: number;
}

export class Sampler {
  readonly #params: SamplingParams;
  readonly #edits: LogitEdits;
  readonly #seed: bigint;
  readonly #choice: number;
  #drawn = 0;

  constructor({ params, promptTokens, seed, choice }: SamplerOptions) {
    this.#params = params;
    this.#edits = new LogitEdits(params, promptTokens);
    this.#seed = seed;
    this.#choice = choice;
  }

  /** What the graph should scale this sequence's logits by. */
  get inverseTemperature(): number {
    return this.#params.temperature === 0 ? 1 : 1 / this.#params.temperature;
  }

  /** Chooses the next token and takes it into account for the ones after. */
  next(row: LogitsRow): number {
    const uniform = (): number => uniformAt(this.#seed, this.#choice, this.#drawn);
    const token = chooseToken({ row, edits: this.#edits, params: this.#params, uniform });
    this.#drawn++;
    this.#edits.record(token);
    return token;
  }
}

export interface ChoiceInput {
  readonly row: LogitsRow;
  readonly edits: LogitEdits | null;
  readonly params: SamplingParams;
  /** In [0, 1); not called for greedy choices. */
  readonly uniform: () => number;
}

/** The token that `uniform` selects from the row's distribution; with temperature 0 the most likely one, ties by lowest index. */
export function chooseToken({ row, edits, params, uniform }: ChoiceInput): number {
  const ranked = new RankedTokens(row, edits);
  if (params.temperature === 0) return ranked.tokens[0] ?? findLargest(ranked.editedRow()).token;
  const scale = row.inverseTemperature;
  const number = uniform();
  const known = hasLimits(params) ? drawWithinLimits(ranked, { scale, params, uniform: number }) : drawFromAll(ranked, scale, number);
  return known ?? drawFromRow(ranked.editedRow(), { scale, params, uniform: number });
}

function hasLimits({ topK, topP, minP, typicalP }: SamplingParams): boolean {
  return topK > 0 || topP < 1 || minP > 0 || typicalP < 1;
}

// NOTE: the order in which a distribution is walked does not matter to it, so the ranked tokens come first: the draw mostly falls
// among them, and only otherwise is the rest of the row read.
function drawFromAll(ranked: RankedTokens, scale: number, uniform: number): number {
  const { tokens, values, logSumExp } = ranked;
  let sum = 0;
  for (let rank = 0; rank < tokens.length; rank++) {
    sum += Math.exp((values[rank] ?? -Infinity) * scale - logSumExp);
    if (uniform < sum) return tokens[rank] ?? 0;
  }
  const walked = new Set(Array.from(tokens));
  const row = ranked.editedRow();
  let last = tokens[tokens.length - 1] ?? 0;
  for (let token = 0; token < row.length; token++) {
    if (walked.has(token)) continue;
    const share = Math.exp((row[token] ?? -Infinity) * scale - logSumExp);
    sum += share;
    if (share > 0) last = token;
    if (uniform < sum) return token;
  }
  return last;
}

/** As `drawFromRow`, from the ranked tokens alone; null when a limit's border may lie beyond them. */
function drawWithinLimits(
  ranked: RankedTokens,
  { scale, params, uniform }: { scale: number; params: SamplingParams; uniform: number },
): number | null {
  if (params.typicalP < 1) return null;
  const best = ranked.values[0] ?? 0;
  const weights = Array.from(ranked.values, (value) => Math.exp((value - best) * scale));
  const limits = [
    limitTopK(weights, params),
    limitMinP(weights, params),
    limitTopP(weights, params, Math.exp(ranked.logSumExp - best * scale)),
  ];
  const known = limits.filter((limit) => limit !== null);
  // One border within the ranked tokens is enough when the others can only lie lower.
  const kept = Math.min(...known);
  if (known.length === 0 || (limits[2] === null && params.topP < 1)) return null;
  return walk(ranked.tokens, weights.slice(0, kept), uniform);
}

/** How many tokens top_k keeps; null: no limit within the ranked ones. */
function limitTopK(weights: readonly number[], { topK }: SamplingParams): number | null {
  return topK > 0 && topK <= weights.length ? topK : null;
}

/** min-p (Nguyen et al. 2024, arXiv 2407.01082): tokens at least `minP` times as likely as the likeliest. */
function limitMinP(weights: readonly number[], { minP }: SamplingParams): number | null {
  const kept = weights.findIndex((weight) => weight < minP);
  return minP > 0 && kept >= 0 ? kept : null;
}

/**
 * Nucleus sampling (Holtzman et al. 2019, arXiv 1904.09751): the fewest of the highest tokens that hold `topP` of the mass, which is
 * that of the top_k tokens where there is such a limit. `total` is the mass of all tokens.
 */
function limitTopP(weights: readonly number[], params: SamplingParams, total: number): number | null {
  const { topK, topP } = params;
  if (topP >= 1 || topK > weights.length) return null;
  const mass = topK > 0 ? weights.slice(0, topK).reduce((sum, weight) => sum + weight, 0) : total;
  let sum = 0;
  for (let rank = 0; rank < weights.length; rank++) {
    sum += weights[rank] ?? 0;
    if (sum >= topP * mass) return rank + 1;
  }
  return null;
}

function walk(tokens: ArrayLike<number>, weights: readonly number[], uniform: number): number {
  const target = uniform * weights.reduce((sum, weight) => sum + weight, 0);
  let sum = 0;
  for (let rank = 0; rank < weights.length; rank++) {
    sum += weights[rank] ?? 0;
    if (target < sum) return tokens[rank] ?? 0;
  }
  return tokens[weights.length - 1] ?? 0;
}
