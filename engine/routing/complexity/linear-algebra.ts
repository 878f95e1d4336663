// Owns the few dense solvers that training needs. Matrices are row-major Float64Arrays; nothing here knows what they mean.

export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly values: Float64Array;
}

export function matrixOf(rows: readonly ArrayLike<number>[], columns: number): Matrix {
  const values = new Float64Array(rows.length * columns);
  for (const [index, row] of rows.entries()) values.set(row, index * columns);
  return { rows: rows.length, columns, values };
}

/** Means of the columns. */
export function columnMeans({ rows, columns, values }: Matrix): Float64Array {
  const means = new Float64Array(columns);
  for (let at = 0; at < values.length; at++) means[at % columns] = (means[at % columns] ?? 0) + (values[at] ?? 0) / rows;
  return means;
}

/** Transpose times itself, around the means: [columns, columns]. */
export function centredGram(matrix: Matrix, means: Float64Array): Float64Array {
  const { rows, columns, values } = matrix;
  const gram = new Float64Array(columns * columns);
  const row = new Float64Array(columns);
  for (let index = 0; index < rows; index++) {
    for (let column = 0; column < columns; column++) row[column] = (values[index * columns + column] ?? 0) - (means[column] ?? 0);
    addOuter(gram, row);
  }
  for (let left = 0; left < columns; left++)
    for (let right = 0; right < left; right++) gram[left * columns + right] = gram[right * columns + left] ?? 0;
  return gram;
}

/** Upper half only. */
function addOuter(gram: Float64Array, row: Float64Array): void {
  const size = row.length;
  for (let left = 0; left < size; left++) {
    const value = row[left] ?? 0;
    if (value === 0) continue;
    for (let right = left; right < size; right++) gram[left * size + right] = (gram[left * size + right] ?? 0) + value * (row[right] ?? 0);
  }
}

/** Transpose times `target`, around the means: [columns]. */
export function centredProduct({ rows, columns, values }: Matrix, means: Float64Array, target: Float64Array): Float64Array {
  const product = new Float64Array(columns);
  const middle = target.reduce((sum, value) => sum + value, 0) / rows;
  for (let index = 0; index < rows; index++) {
    const gap = (target[index] ?? 0) - middle;
    for (let column = 0; column < columns; column++)
      product[column] = (product[column] ?? 0) + gap * ((values[index * columns + column] ?? 0) - (means[column] ?? 0));
  }
  return product;
}

/** Solves a symmetric positive definite system by Cholesky's decomposition. */
export function solvePositive(system: Float64Array, target: Float64Array): Float64Array {
  const size = target.length;
  const lower = cholesky(system, size);
  const solution = Float64Array.from(target);
  for (let row = 0; row < size; row++) {
    let sum = solution[row] ?? 0;
    for (let column = 0; column < row; column++) sum -= (lower[row * size + column] ?? 0) * (solution[column] ?? 0);
    solution[row] = sum / (lower[row * size + row] ?? 1);
  }
  for (let row = size - 1; row >= 0; row--) {
    let sum = solution[row] ?? 0;
    for (let below = row + 1; below < size; below++) sum -= (lower[below * size + row] ?? 0) * (solution[below] ?? 0);
    solution[row] = sum / (lower[row * size + row] ?? 1);
  }
  return solution;
}

function cholesky(system: Float64Array, size: number): Float64Array {
  const lower = new Float64Array(size * size);
  for (let row = 0; row < size; row++) {
    for (let column = 0; column <= row; column++) {
      let sum = system[row * size + column] ?? 0;
      for (let inner = 0; inner < column; inner++) sum -= (lower[row * size + inner] ?? 0) * (lower[column * size + inner] ?? 0);
      lower[row * size + column] = row === column ? Math.sqrt(Math.max(sum, 1e-9)) : sum / (lower[column * size + column] ?? 1);
    }
  }
  return lower;
}

const SWEEPS = 200;

/** Ridge regression whose weights keep their signs (0: free), by coordinate descent on the normal equations. */
export function signedRidge(gram: Float64Array, product: Float64Array, signs: readonly number[], penalty: number): Float64Array {
  const size = product.length;
  const weights = new Float64Array(size);
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    for (let column = 0; column < size; column++) {
      const own = gram[column * size + column] ?? 0;
      let rest = product[column] ?? 0;
      for (let other = 0; other < size; other++) if (other !== column) rest -= (gram[column * size + other] ?? 0) * (weights[other] ?? 0);
      const free = rest / (own + penalty);
      weights[column] = free * (signs[column] ?? 0) < 0 ? 0 : free;
    }
  }
  return weights;
}

const ROUNDS = 60;

/** The first eigenvectors of a symmetric matrix and their eigenvalues, by orthogonal iteration. */
export function topEigenvectors(matrix: Float64Array, size: number, count: number): { vectors: Float64Array[]; values: number[] } {
  let vectors: Float64Array[] = Array.from({ length: count }, (_, index) =>
    Float64Array.from({ length: size }, (__, at) => Math.sin((index + 1) * (at + 1))),
  );
  let values: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const next = vectors.map((vector) => times(matrix, vector));
    values = next.map((vector, index) => inner(vector, vectors[index] ?? vector));
    vectors = orthonormal(next);
  }
  return { vectors, values };
}

function times(matrix: Float64Array, vector: Float64Array): Float64Array {
  const size = vector.length;
  return Float64Array.from(vector, (_, row) => inner(matrix.subarray(row * size, (row + 1) * size), vector));
}

/** Gram and Schmidt, in their order. */
function orthonormal(vectors: readonly Float64Array[]): Float64Array[] {
  const kept: Float64Array[] = [];
  for (const vector of vectors) {
    const rest = Float64Array.from(vector);
    for (const other of kept) {
      const along = inner(rest, other);
      for (let at = 0; at < rest.length; at++) rest[at] = (rest[at] ?? 0) - along * (other[at] ?? 0);
    }
    const length = Math.sqrt(inner(rest, rest)) || 1;
    kept.push(rest.map((value) => value / length));
  }
  return kept;
}

function inner(left: Float64Array, right: Float64Array): number {
  let sum = 0;
  for (let at = 0; at < left.length; at++) sum += (left[at] ?? 0) * (right[at] ?? 0);
  return sum;
}
