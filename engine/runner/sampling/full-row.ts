// Owns sampling over a whole row of logits, for what the top 64 cannot decide. Each limit takes a few passes over the row and sorts
// only the tokens near its border.
import type { SamplingParams } from '../protocol.ts';
import { findLargest } from './ranked-tokens.ts';

/** Bins of the histogram in which a limit's border is found; one bin of a row holds a few dozen tokens. */
const BINS = 2048;

/** Draws from a row under the limits of `params`; `scale` is the inverse temperature, `uniform` in [0, 1). */
export function drawFromRow(
  row: Float32Array,
  { scale, params, uniform }: { scale: number; params: SamplingParams; uniform: number },
): number {
  const best = findLargest(row).value;
  const weights = new Float64Array(row.length);
  for (let token = 0; token < row.length; token++) weights[token] = Math.exp(((row[token] ?? -Infinity) - best) * scale);
  if (params.topK > 0) keepBest(row, weights, { measure: () => 1, target: params.topK });
  if (params.topP < 1) keepBest(row, weights, { measure: (weight) => weight, target: params.topP * sum(weights) });
  if (params.minP > 0) keepLikely(weights, params.minP);
  if (params.typicalP < 1) keepTypical(weights, params.typicalP);
  return draw(weights, uniform);
}

/** Locally typical sampling (Meister et al. 2022, arXiv 2202.00666): nearest to the entropy in surprise, until `typicalP` of the mass is kept. */
function keepTypical(weights: Float64Array, typicalP: number): void {
  const total = sum(weights);
  const surprise = weights.map((weight) => -Math.log(weight / total));
  const entropy = weights.reduce((all, weight, token) => (weight > 0 ? all + (weight / total) * (surprise[token] ?? 0) : all), 0);
  const closeness = surprise.map((value) => -Math.abs(value - entropy));
  keepBest(closeness, weights, { measure: (weight) => weight, target: typicalP * total });
}

/** The best token has weight 1, so the ratio to it is the weight itself. */
function keepLikely(weights: Float64Array, minP: number): void {
  for (let token = 0; token < weights.length; token++) if ((weights[token] ?? 0) < minP) weights[token] = 0;
}

/** Sets the weight to 0 of all tokens but those of the highest scores (ties by lower index) whose measures first reach the target. */
function keepBest(
  scores: Float32Array | Float64Array,
  weights: Float64Array,
  { measure, target }: { measure: (weight: number) => number; target: number },
): void {
  const binOf = binning(scores, weights);
  const measures = new Float64Array(BINS);
  for (let token = 0; token < scores.length; token++) {
    const weight = weights[token] ?? 0;
    const bin = binOf(scores[token] ?? -Infinity);
    if (weight > 0) measures[bin] = (measures[bin] ?? 0) + measure(weight);
  }
  let border = BINS - 1;
  let reached = 0;
  while (border > 0 && reached + (measures[border] ?? 0) < target) reached += measures[border--] ?? 0;
  const atBorder: number[] = [];
  for (let token = 0; token < scores.length; token++) {
    const bin = binOf(scores[token] ?? -Infinity);
    if (bin < border) weights[token] = 0;
    else if (bin === border && (weights[token] ?? 0) > 0) atBorder.push(token);
  }
  atBorder.sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0) || a - b);
  for (const token of atBorder) {
    const isEnough = reached >= target;
    reached += measure(weights[token] ?? 0);
    if (isEnough) weights[token] = 0;
  }
}

/** Maps scores of tokens with weight to bins 0 to BINS − 1, in order. */
function binning(scores: Float32Array | Float64Array, weights: Float64Array): (score: number) => number {
  let low = Infinity;
  let high = -Infinity;
  for (let token = 0; token < scores.length; token++) {
    if ((weights[token] ?? 0) <= 0) continue;
    const score = scores[token] ?? 0;
    if (score < low) low = score;
    if (score > high) high = score;
  }
  const width = high > low ? (BINS - 1) / (high - low) : 0;
  return (score) => Math.max(0, Math.min(BINS - 1, Math.floor((score - low) * width)));
}

function draw(weights: Float64Array, uniform: number): number {
  const target = uniform * sum(weights);
  let walked = 0;
  let last = 0;
  for (let token = 0; token < weights.length; token++) {
    const weight = weights[token] ?? 0;
    if (weight === 0) continue;
    walked += weight;
    last = token;
    if (target < walked) return token;
  }
  return last;
}

function sum(values: Float64Array): number {
  let total = 0;
  for (let i = 0; i < values.length; i++) total += values[i] ?? 0;
  return total;
}
