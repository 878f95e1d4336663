// Owns error-compensating rounding: GPTQ (arXiv 2210.17323), which moves each weight's rounding error into those not yet rounded, by
// how their inputs go together. Pure arithmetic; knows nothing about models or files.
import { bug } from '../../errors.ts';

/** Upper triangle U of a damped second moment H of a layer's inputs, H⁻¹ = UᵀU: what GPTQ needs of the inputs. */
export interface InverseFactor {
  readonly size: number;
  /** Row-major [size, size], zero below the diagonal. */
  readonly upper: Float32Array;
}

/** Share of the mean diagonal that is added to it, so that inputs that hardly vary do not take all of the error. */
const DAMPING = 0.01;

/** `moments`: Σ xᵀx over the calibration text, [size, size]; it is overwritten. */
export function inverseFactor(moments: Float64Array, size: number, damping = DAMPING): InverseFactor {
  damp(moments, size, damping);
  factorUpper(moments, size);
  invertUpper(moments, size);
  return { size, upper: Float32Array.from(moments) };
}

function damp(a: Float64Array, n: number, share: number): void {
  let sum = 0;
  for (let i = 0; i < n; i++) sum += a[i * n + i] ?? 0;
  const added = Math.max((sum / n) * share, 1e-12);
  for (let i = 0; i < n; i++) a[i * n + i] = (a[i * n + i] ?? 0) + added;
}

/** a = R·Rᵀ with R upper, in place: Cholesky from the last row up. Then H⁻¹ = R⁻ᵀR⁻¹, whose upper factor is R⁻¹ itself. */
function factorUpper(a: Float64Array, n: number): void {
  for (let j = n - 1; j >= 0; j--) {
    const rowJ = a.subarray(j * n, j * n + n);
    for (let i = j; i >= 0; i--) {
      const rowI = a.subarray(i * n, i * n + n);
      let sum = rowI[j] ?? 0;
      for (let k = j + 1; k < n; k++) sum -= (rowI[k] ?? 0) * (rowJ[k] ?? 0);
      if (i === j && !(sum > 0)) bug('The second moments of a layer are not positive.');
      rowI[j] = i === j ? Math.sqrt(sum) : sum / (rowJ[j] ?? 1);
    }
    rowJ.fill(0, 0, j);
  }
}

/** R → R⁻¹ in place, both upper. */
function invertUpper(a: Float64Array, n: number): void {
  const made = new Float64Array(n);
  for (let i = n - 1; i >= 0; i--) {
    const row = a.subarray(i * n, i * n + n);
    const pivot = 1 / (row[i] ?? 1);
    made.fill(0);
    for (let k = i + 1; k < n; k++) {
      const factor = row[k] ?? 0;
      const below = a.subarray(k * n, k * n + n);
      for (let j = k; j < n; j++) made[j] = (made[j] ?? 0) - factor * (below[j] ?? 0);
    }
    for (let j = i + 1; j < n; j++) row[j] = (made[j] ?? 0) * pivot;
    row[i] = pivot;
  }
}

/** A block's grid: weight = scale · (code − zeroPoint), code from 0 to `maximum`. */
export interface BlockGrid {
  readonly scale: number;
  readonly zeroPoint: number;
  readonly maximum: number;
}

export interface RoundedRow {
  /** [width] */
  readonly codes: Uint8Array;
  /** One a block. */
  readonly grids: readonly BlockGrid[];
}

export interface RowRounding {
  readonly blockSize: number;
  /** One for each span of the row, equally long. */
  readonly factors: readonly InverseFactor[];
  /** Chooses a block's grid from its weights as they are when its turn comes. */
  readonly grid: (values: Float32Array, start: number) => BlockGrid;
}

/** Rounds one row, left to right; `row` is overwritten with what the rounding of its left has made of it. */
export function roundRow(row: Float32Array, { blockSize, factors, grid }: RowRounding): RoundedRow {
  const codes = new Uint8Array(row.length);
  const grids: BlockGrid[] = [];
  factors.forEach((factor, index) => {
    const from = index * factor.size;
    const part = row.subarray(from, from + factor.size);
    for (let start = 0; start < part.length; start += blockSize) {
      const end = Math.min(start + blockSize, part.length);
      const chosen = grid(part.subarray(start, end), from + start);
      grids.push(chosen);
      roundBlock(part, codes.subarray(from), { start, end, grid: chosen, factor });
    }
  });
  return { codes, grids };
}

interface BlockPlace {
  readonly start: number;
  readonly end: number;
  readonly grid: BlockGrid;
  readonly factor: InverseFactor;
}

/** Each weight's error is spread over the rest of the span. */
function roundBlock(row: Float32Array, codes: Uint8Array, { start, end, grid, factor }: BlockPlace): void {
  const { scale, zeroPoint, maximum } = grid;
  const inverse = scale === 0 ? 0 : 1 / scale;
  const { size, upper } = factor;
  for (let j = start; j < end; j++) {
    const value = row[j] ?? 0;
    const code = Math.min(maximum, Math.max(0, Math.round(value * inverse) + zeroPoint));
    codes[j] = code;
    const at = j * size;
    const error = (value - scale * (code - zeroPoint)) / (upper[at + j] ?? 1);
    for (let k = j + 1; k < size; k++) row[k] = (row[k] ?? 0) - error * (upper[at + k] ?? 0);
  }
}
