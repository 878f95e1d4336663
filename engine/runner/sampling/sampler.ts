// Owns the choice of a sequence's next token. Exact: what the graph's top 64 cannot decide is read from the full row.
// Knows nothing about text. Order: penalties and bias, temperature, top_k, top_p, min_p, typical; each renormalises.
import type { LogitsRow } from '../decoder-session.ts';
import type { SamplingParams } from '../protocol.ts';
import { LogitEdits } from './logit-edits.ts';
import { RankedTokens } from './ranked-tokens.ts';
import { uniformAt } from './uniform.ts';

export interface SamplerOptions {
  readonly params: SamplingParams;
  readonly promptTokens: Iterable<number>;
  readonly seed: bigint;
  /** Which of a request's answers this is. */
  readonly choice: number;
}

/** Tokens that may be drawn, with weights that need not sum to 1. */
interface Candidates {
  readonly tokens: readonly number[];
  readonly weights: readonly number[];
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
    const token = chooseToken({
      row,
      edits: this.#edits,
      params: this.#params,
      uniform: () => uniformAt(this.#seed, this.#choice, this.#drawn),
    });
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
  if (params.temperature === 0) return ranked.tokens[0] ?? 0;
  const draw = uniform();
  const truncates = params.topK > 0 || params.topP < 1 || params.minP > 0 || params.typicalP < 1;
  return truncates ? drawFrom(truncate(ranked, row.inverseTemperature, params), draw) : drawFromAll(ranked, row.inverseTemperature, draw);
}

function drawFrom({ tokens, weights }: Candidates, uniform: number): number {
  const target = uniform * weights.reduce((sum, weight) => sum + weight, 0);
  let sum = 0;
  for (let i = 0; i < tokens.length; i++) {
    sum += weights[i] ?? 0;
    if (target < sum) return tokens[i] ?? 0;
  }
  return tokens.at(-1) ?? 0;
}

// NOTE: the order in which a distribution is walked does not matter to it, so the ranked tokens come first: the draw nearly
// always falls among them, and only otherwise is the rest of the row read.
function drawFromAll(ranked: RankedTokens, scale: number, uniform: number): number {
  const { tokens, values, logSumExp } = ranked;
  let sum = 0;
  for (let i = 0; i < tokens.length; i++) {
    sum += Math.exp((values[i] ?? -Infinity) * scale - logSumExp);
    if (uniform < sum) return tokens[i] ?? 0;
  }
  const walked = new Set(tokens);
  const row = ranked.editedRow();
  let last = tokens.at(-1) ?? 0;
  for (let token = 0; token < row.length; token++) {
    if (walked.has(token)) continue;
    const share = Math.exp((row[token] ?? -Infinity) * scale - logSumExp);
    sum += share;
    if (share > 0) last = token;
    if (uniform < sum) return token;
  }
  return last;
}

function truncate(ranked: RankedTokens, scale: number, params: SamplingParams): Candidates {
  const weightAt = (rank: number): number => Math.exp(((ranked.values[rank] ?? -Infinity) - ranked.best) * scale);
  let count = limitTopK(ranked, params.topK);
  count = limitTopP(ranked, { count, topP: params.topP, weightAt, scale });
  count = limitMinP(ranked, { count, minP: params.minP, scale });
  if (params.typicalP < 1) return typical(ranked, { count, typicalP: params.typicalP, weightAt });
  const tokens = ranked.tokens.slice(0, count);
  return { tokens, weights: tokens.map((_, rank) => weightAt(rank)) };
}

/** How many of the highest tokens remain. */
function limitTopK(ranked: RankedTokens, topK: number): number {
  if (topK <= 0 || topK >= ranked.vocabSize) return ranked.vocabSize;
  ranked.widenUntil(() => ranked.tokens.length >= topK);
  return topK;
}

/** Nucleus sampling (Holtzman et al. 2019, arXiv 1904.09751): the fewest of the highest tokens that hold `topP` of the mass. */
function limitTopP(
  ranked: RankedTokens,
  { count, topP, weightAt, scale }: { count: number; topP: number; weightAt: (rank: number) => number; scale: number },
): number {
  if (topP >= 1) return count;
  let total = 0;
  if (count === ranked.vocabSize) total = Math.exp(ranked.logSumExp - ranked.best * scale);
  else for (let rank = 0; rank < count; rank++) total += weightAt(rank);
  let kept = 0;
  let sum = 0;
  ranked.widenUntil(() => {
    while (kept < Math.min(count, ranked.tokens.length) && (kept === 0 || sum < topP * total)) sum += weightAt(kept++);
    return sum >= topP * total || kept === count;
  });
  return kept;
}

/** min-p (Nguyen et al. 2024, arXiv 2407.01082): tokens at least `minP` times as likely as the likeliest. */
function limitMinP(ranked: RankedTokens, { count, minP, scale }: { count: number; minP: number; scale: number }): number {
  if (minP <= 0) return count;
  const threshold = ranked.best + Math.log(minP) / scale;
  if (ranked.tokens.length < count && (ranked.values.at(-1) ?? -Infinity) >= threshold) ranked.widenTo(threshold);
  let kept = 1;
  while (kept < Math.min(count, ranked.tokens.length) && (ranked.values[kept] ?? -Infinity) >= threshold) kept++;
  return kept;
}

/** Locally typical sampling (Meister et al. 2022, arXiv 2202.00666): tokens whose surprise is nearest to the entropy. */
function typical(
  ranked: RankedTokens,
  { count, typicalP, weightAt }: { count: number; typicalP: number; weightAt: (rank: number) => number },
): Candidates {
  if (ranked.tokens.length < count) ranked.widenTo(-Infinity);
  const kept = Array.from({ length: Math.min(count, ranked.tokens.length) }, (_, rank) => ({
    token: ranked.tokens[rank] ?? 0,
    weight: weightAt(rank),
  }));
  const total = kept.reduce((sum, { weight }) => sum + weight, 0);
  const surprise = (weight: number): number => -Math.log(weight / total);
  const entropy = kept.reduce((sum, { weight }) => sum + (weight > 0 ? (weight / total) * surprise(weight) : 0), 0);
  kept.sort((a, b) => Math.abs(surprise(a.weight) - entropy) - Math.abs(surprise(b.weight) - entropy));
  let sum = 0;
  let length = 0;
  while (length < kept.length && sum < typicalP * total) sum += kept[length++]?.weight ?? 0;
  const chosen = kept.slice(0, Math.max(1, length));
  return { tokens: chosen.map(({ token }) => token), weights: chosen.map(({ weight }) => weight) };
}
