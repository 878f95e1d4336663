// Owns what a batch costs on this machine: a model fitted to measured runs, and the token budget that follows from it.
// Pure; `calibrate.ts` measures.

/** One measured run of `batch` texts of `length` tokens each. */
export interface CostSample {
  readonly batch: number;
  readonly length: number;
  readonly ms: number;
}

/** A batch takes `baseMs` + `tokenMs` for each token + `attentionMs` for each pair of tokens of the same text. */
export interface CostModel {
  readonly baseMs: number;
  readonly tokenMs: number;
  readonly attentionMs: number;
}

/** Share of a full batch's time that may go into its fixed part; more tokens would gain less than this. */
const BASE_SHARE = 0.04;
const LEAST_BUDGET = 64;
const MOST_BUDGET = 2048;

/** Expected time of a batch of texts with these token counts. */
export function batchMs(cost: CostModel, lengths: readonly number[]): number {
  const tokens = lengths.reduce((total, length) => total + length, 0);
  const pairs = lengths.reduce((total, length) => total + length * length, 0);
  return cost.baseMs + cost.tokenMs * tokens + cost.attentionMs * pairs;
}

/**
 * The cost model that meets the samples best: least squares over [1, tokens, tokens²], each sample weighted by 1/ms, so that short runs
 * count as much as long ones. A term that comes out negative is noise, and is left out. The fixed part is no more than the shortest run
 * took: on a busy machine a fit may say otherwise, and texts would wait for company that saves nothing.
 */
export function fitCost(samples: readonly CostSample[]): CostModel {
  const rows = samples.map(({ batch, length, ms }) => ({ terms: [1, batch * length, batch * length * length], ms }));
  let used = [0, 1, 2];
  for (;;) {
    const factors = solve(rows, used);
    const worst = used.find((_, place) => (factors[place] ?? 0) < 0);
    if (worst === undefined || used.length === 1) return bounded(toModel(used, factors), samples);
    used = used.filter((term) => term !== worst);
  }
}

/** Tokens of one batch: as many as spread the fixed part thin, at least one text of `maxTokens`. */
export function tokenBudget(cost: CostModel, maxTokens: number): number {
  const wanted = cost.tokenMs === 0 ? MOST_BUDGET : (cost.baseMs * (1 - BASE_SHARE)) / BASE_SHARE / cost.tokenMs;
  return Math.max(maxTokens, Math.round(Math.min(MOST_BUDGET, Math.max(LEAST_BUDGET, wanted))));
}

function bounded(cost: CostModel, samples: readonly CostSample[]): CostModel {
  return { ...cost, baseMs: Math.min(cost.baseMs, ...samples.map(({ ms }) => ms)) };
}

function toModel(used: readonly number[], factors: readonly number[]): CostModel {
  const factorOf = (term: number): number => Math.max(0, used.includes(term) ? (factors[used.indexOf(term)] ?? 0) : 0);
  return { baseMs: factorOf(0), tokenMs: factorOf(1), attentionMs: factorOf(2) };
}

/** Weighted normal equations, solved by Gaussian elimination with a pivot search. */
function solve(rows: readonly { readonly terms: readonly number[]; readonly ms: number }[], used: readonly number[]): number[] {
  const matrix = used.map((a) => [
    ...used.map((b) => sum(rows, ({ terms, ms }) => ((terms[a] ?? 0) * (terms[b] ?? 0)) / ms ** 2)),
    sum(rows, ({ terms, ms }) => (terms[a] ?? 0) / ms),
  ]);
  for (let column = 0; column < used.length; column++) eliminate(matrix, column);
  return matrix.map((row, place) => (row[place] === 0 ? 0 : (row[used.length] ?? 0) / (row[place] ?? 1)));
}

function eliminate(matrix: number[][], column: number): void {
  const candidates = matrix.slice(column);
  const pivot = candidates.reduce(
    (best, row) => (Math.abs(row[column] ?? 0) > Math.abs(best[column] ?? 0) ? row : best),
    candidates[0] ?? [],
  );
  const place = matrix.indexOf(pivot);
  [matrix[column], matrix[place]] = [pivot, matrix[column] ?? []];
  if ((pivot[column] ?? 0) === 0) return;
  for (const row of matrix) {
    if (row === pivot) continue;
    const factor = (row[column] ?? 0) / (pivot[column] ?? 1);
    pivot.forEach((value, at) => (row[at] = (row[at] ?? 0) - factor * value));
  }
}

const sum = <T>(items: readonly T[], of: (item: T) => number): number => items.reduce((total, item) => total + of(item), 0);
