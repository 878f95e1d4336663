// Owns how a router is scored (RouteLLM, arXiv 2406.18665): rank the prompts by score, send the first fraction to the strong model.
// Knows nothing about how scores are made.

export interface Outcome {
  readonly score: number;
  /** 0..1 */
  readonly weak: number;
  /** 0..1 */
  readonly strong: number;
}

export interface RouterMetrics {
  readonly rows: number;
  readonly weakAccuracy: number;
  readonly strongAccuracy: number;
  /** Area under PGR(f) for f in 0..1, where PGR(f) = (accuracy(f) - weak) / (strong - weak); random order has 0.5. */
  readonly apgr: number | null;
  /** Smallest fractions sent to the strong model at which PGR reaches 0.5 and 0.8. */
  readonly cpt50: number | null;
  readonly cpt80: number | null;
  /** Smallest fraction at which the accuracy reaches 95% of the strong model's. */
  readonly strongShareAt95: number;
  /** Cost saved there against the strong model alone, with prices of 1 : 20. */
  readonly savingAt95: number;
  /** Accuracy where 40% of that cost is saved, and its share of the strong model's. */
  readonly accuracyAtSaving40: number;
  readonly qualityAtSaving40: number | null;
}

/** What the strong model costs where the weak one costs 1. */
const PRICE_RATIO = 20;
const TOLERANCE = 1e-9;

/** Figures of one ranking; those over the gain are null when the strong model is not better than the weak one. */
export function measureRouter(outcomes: readonly Outcome[]): RouterMetrics {
  const rows = outcomes.length;
  const weak = mean(outcomes.map((outcome) => outcome.weak));
  const strong = mean(outcomes.map((outcome) => outcome.strong));
  const curve = accuracyCurve(outcomes, weak);
  const gain = strong - weak;
  const pgr = gain > TOLERANCE ? curve.map((accuracy) => (accuracy - weak) / gain) : null;
  const strongShareAt95 = smallestShare(curve, 0.95 * strong) ?? 1;
  const at40 = curve[Math.floor(rows * shareAtSaving(0.4) + TOLERANCE)] ?? weak;
  return {
    rows,
    weakAccuracy: weak,
    strongAccuracy: strong,
    apgr: pgr === null ? null : areaUnder(pgr),
    cpt50: pgr === null ? null : smallestShare(pgr, 0.5),
    cpt80: pgr === null ? null : smallestShare(pgr, 0.8),
    strongShareAt95,
    savingAt95: (1 - strongShareAt95) * (1 - 1 / PRICE_RATIO),
    accuracyAtSaving40: at40,
    qualityAtSaving40: strong > 0 ? at40 / strong : null,
  };
}

/** Accuracy with the first k of n sent to the strong model, k = 0..n. Equal scores share their gain evenly: their order is chance. */
function accuracyCurve(outcomes: readonly Outcome[], weak: number): readonly number[] {
  const ranked = [...outcomes].sort((left, right) => right.score - left.score);
  const curve = [weak];
  let accuracy = weak;
  for (let start = 0; start < ranked.length;) {
    let end = start;
    while (end < ranked.length && ranked[end]?.score === ranked[start]?.score) end += 1;
    const step = mean(ranked.slice(start, end).map((outcome) => outcome.strong - outcome.weak)) / ranked.length;
    for (; start < end; start++) curve.push((accuracy += step));
  }
  return curve;
}

/** By the trapezoid rule, over evenly spaced points of 0..1. */
function areaUnder(curve: readonly number[]): number {
  const ends = ((curve[0] ?? 0) + (curve.at(-1) ?? 0)) / 2;
  return (curve.reduce((sum, value) => sum + value, 0) - ends) / (curve.length - 1);
}

function smallestShare(curve: readonly number[], goal: number): number | null {
  const first = curve.findIndex((value) => value >= goal - TOLERANCE);
  return first === -1 ? null : first / (curve.length - 1);
}

/** The share of strong answers that saves this much against strong answers alone. */
function shareAtSaving(saving: number): number {
  return 1 - saving / (1 - 1 / PRICE_RATIO);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}
