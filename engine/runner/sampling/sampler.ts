// Owns the choice of a sequence's next token. Exact: what the graph's top 64 cannot decide is read from the full row.
// Knows nothing about text. Order: penalties and bias, temperature, top_k, top_p, min_p, typical; each renormalises.
import type { LogitsRow } from '../decoder-session.ts';
import { EngineError } from '../../errors.ts';
import type { TokenFilter } from '../grammar/token-filter.ts';
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

  /** Chooses the next token, among those that `filter` allows, and takes it into account for the ones after. */
  next(row: LogitsRow, filter: TokenFilter | null = null): number {
    const uniform = (): number => uniformAt(this.#seed, this.#choice, this.#drawn);
    const token = chooseToken({ row, edits: this.#edits, params: this.#params, uniform, filter });
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
  /** Which tokens may be chosen: the others count as if the model had ruled them out. Absent or null: all. */
  readonly filter?: TokenFilter | null;
}

/**
 * The token that `uniform` selects from the row's distribution; with temperature 0 the most likely one, ties by lowest index.
 * @throws EngineError `grammar_failed` when the filter allows no token at all
 */
export function chooseToken({ row, edits, params, uniform, filter = null }: ChoiceInput): number {
  if (params.temperature === 0) return likeliest({ row, edits, filter });
  const ranked = new RankedTokens(row, edits, filter);
  if (ranked.tokens.length === 0 && filter !== null) checkAny(filter);
  const scale = row.inverseTemperature;
  const number = uniform();
  const known = hasLimits(params) ? drawWithinLimits(ranked, { scale, params, uniform: number }) : drawFromAll(ranked, scale, number);
  return known ?? drawFromRow(ranked.editedRow(), { scale, params, uniform: number });
}

/** The filter is asked about one token after the other, since it mostly allows the first. */
function likeliest({ row, edits, filter }: Required<Pick<ChoiceInput, 'row' | 'edits' | 'filter'>>): number {
  const { tokens } = new RankedTokens(row, edits);
  for (let rank = 0; rank < tokens.length; rank++) {
    const token = tokens[rank] ?? 0;
    if (filter === null || filter.allows(token)) return token;
  }
  if (filter !== null) checkAny(filter);
  return findLargest(new RankedTokens(row, edits, filter).editedRow()).token;
}

function checkAny(filter: TokenFilter): void {
  if (filter.mask().every((word) => word === 0))
    throw new EngineError('grammar_failed', 'No token of this model can continue the answer within its grammar.');
}

function hasLimits({ topK, topP, minP, typicalP }: SamplingParams): boolean {
  return topK > 0 || topP < 1 || minP > 0 || typicalP < 1;
}

// NOTE: the order in which a distribution is walked does not matter to it, so the ranked tokens come first: the draw mostly falls
// among them, and only otherwise is the rest of the row read.
function drawFromAll(ranked: RankedTokens, scale: number, uniform: number): number {
  const [least, most] = ranked.logSumExpBounds;
  const drawn = drawRanked(ranked, { scale, uniform, logSumExp: most });
  // Where both ends of what the whole may be lead to the same token, what lies between does too.
  if (drawn !== null && (least === most || drawRanked(ranked, { scale, uniform, logSumExp: least }) === drawn)) return drawn;
  return drawExactly(ranked, scale, uniform);
}

function drawRanked({ tokens, values }: RankedTokens, part: { scale: number; uniform: number; logSumExp: number }): number | null {
  const { scale, uniform, logSumExp } = part;
  let sum = 0;
  for (let rank = 0; rank < tokens.length; rank++) {
    sum += Math.exp((values[rank] ?? -Infinity) * scale - logSumExp);
    if (uniform < sum) return tokens[rank] ?? 0;
  }
  return null;
}

function drawExactly(ranked: RankedTokens, scale: number, uniform: number): number {
  const { tokens, values, logSumExp } = ranked;
  const drawn = drawRanked(ranked, { scale, uniform, logSumExp });
  if (drawn !== null) return drawn;
  let sum = 0;
  for (let rank = 0; rank < tokens.length; rank++) sum += Math.exp((values[rank] ?? -Infinity) * scale - logSumExp);
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
  const best = ranked.values[0];
  if (best === undefined) return null;
  const weights = Array.from(ranked.values, (value) => Math.exp((value - best) * scale));
  const limits = [
    limitTopK(weights, params),
    limitMinP(weights, params),
    limitKnownTopP(weights, params, (logSum) => logSum - best * scale, ranked),
  ];
  const known = limits.filter((limit) => limit !== null);
  // One border within the ranked tokens is enough when the others can only lie lower.
  const kept = Math.min(...known);
  if (known.length === 0 || (limits[2] === null && params.topP < 1)) return null;
  return walk(ranked.tokens, weights.slice(0, kept), uniform);
}

/** As `limitTopP`, where it is the same for all that the whole may be; else the whole is computed. */
function limitKnownTopP(
  weights: readonly number[],
  params: SamplingParams,
  scaled: (logSum: number) => number,
  ranked: RankedTokens,
): number | null {
  const needsTotal = params.topP < 1 && params.topK === 0;
  if (!needsTotal) return limitTopP(weights, params, 0);
  const [least, most] = ranked.logSumExpBounds.map((logSum) => limitTopP(weights, params, Math.exp(scaled(logSum))));
  if (least === most && least !== undefined) return least;
  return limitTopP(weights, params, Math.exp(scaled(ranked.logSumExp)));
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
