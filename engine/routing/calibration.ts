// Decides how large an expected loss of quality a single request may have so that the quality bar holds on average over requests of its kind.
// NOTE: the bar is a budget over many answers, not a demand on each: easy prompts leave to hard ones what they do not lose.
import type { Tier } from '../contract.ts';
import type { ExpertName } from './complexity/experts.ts';
import type { Traffic } from './complexity/model.ts';
import { STRENGTH } from './tiers.ts';

/** Requests of one kind that are looked back on. */
const WINDOW = 400;
/** Requests after which the allowed loss is computed anew. */
const EVERY = 16;
/** Quantiles of the training prompts with which the window begins. */
const PRIOR = 41;
const STEPS = 24;

/**
 * The largest allowed loss L such that answering each of `gains` by the weakest tier whose loss `(1 - strength) · gain` is at most L
 * loses on average at most `1 - bar` answers. At least 0; 1 where everything may go to the weakest.
 */
export function allowedLoss(gains: readonly number[], tiers: readonly Tier[], bar: number): number {
  const weakness = tiers.map((tier) => 1 - STRENGTH[tier]).toSorted((left, right) => right - left);
  const lossAt = (limit: number): number => gains.reduce((sum, gain) => sum + lossWithin(weakness, gain, limit), 0) / gains.length;
  if (gains.length === 0 || lossAt(1) <= 1 - bar) return 1;
  let [low, high] = [0, 1];
  for (let step = 0; step < STEPS; step += 1) {
    const middle = (low + high) / 2;
    if (lossAt(middle) <= 1 - bar) low = middle;
    else high = middle;
  }
  return low;
}

/** Of the weakest tier that is within the limit; nothing where none is. Gains below zero cost nothing and earn nothing. */
function lossWithin(weakness: readonly number[], gain: number, limit: number): number {
  const share = weakness.find((candidate) => candidate * gain <= limit) ?? 0;
  return Math.max(0, share * gain);
}

/** The expected gains of the last requests of each kind. */
export class Calibration {
  readonly #traffic: (kind: ExpertName) => Traffic;
  readonly #kinds = new Map<
    ExpertName,
    { gains: number[]; seen: number; limits: Map<string, { readonly limit: number; readonly at: number }> }
  >();

  /** `traffic`: of the training prompts of a kind. */
  constructor(traffic: (kind: ExpertName) => Traffic) {
    this.#traffic = traffic;
  }

  /**
   * Notes one request and returns the loss it may have. `bar`: the share of the strongest tier's right answers that is to be kept;
   * `bias`: measured loss over expected loss, 1 while unknown.
   */
  take(kind: ExpertName, gain: number, { tiers, bar, bias }: { tiers: readonly Tier[]; bar: number; bias: number }): number {
    const known = this.#of(kind);
    known.gains.push(gain);
    known.seen += 1;
    if (known.gains.length > WINDOW) known.gains.shift();
    const key = `${bar} ${bias.toFixed(2)} ${tiers.join()}`;
    const kept = known.limits.get(key);
    if (kept !== undefined && known.seen - kept.at < EVERY) return kept.limit;
    // Bars come from clients: only the last few are worth keeping.
    if (known.limits.size >= 8) known.limits.clear();
    const { strongAccuracy } = this.#traffic(kind);
    const limit = allowedLoss(known.gains, tiers, 1 - ((1 - bar) * strongAccuracy) / bias);
    known.limits.set(key, { limit, at: known.seen });
    return limit;
  }

  #of(kind: ExpertName) {
    const known = this.#kinds.get(kind) ?? { gains: priorOf(this.#traffic(kind)), seen: 0, limits: new Map() };
    this.#kinds.set(kind, known);
    return known;
  }
}

function priorOf({ gain: { mean, deviation } }: Traffic): number[] {
  return Array.from({ length: PRIOR }, (_, at) => mean + deviation * probit((at + 0.5) / PRIOR));
}

/** Quantile of the normal distribution; logistic with its slope, off by at most 0.1 within two deviations. */
function probit(share: number): number {
  return Math.log(share / (1 - share)) / 1.702;
}
