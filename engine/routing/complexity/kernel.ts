// Owns the Gaussian kernel between a point and landmarks, for training and for scoring.

export interface Kernel {
  readonly width: number;
  readonly gamma: number;
  /** [count, width] */
  readonly landmarks: Float64Array;
}

/** exp(-gamma · squared distance) to each landmark; [count]. */
export function kernelRow({ width, gamma, landmarks }: Kernel, point: ArrayLike<number>): Float64Array {
  const row = new Float64Array(landmarks.length / width);
  for (let landmark = 0; landmark < row.length; landmark++) {
    let distance = 0;
    for (let column = 0; column < width; column++) {
      const gap = (landmarks[landmark * width + column] ?? 0) - (point[column] ?? 0);
      distance += gap * gap;
    }
    row[landmark] = Math.exp(-gamma * distance);
  }
  return row;
}

export function dot(left: ArrayLike<number>, right: ArrayLike<number>): number {
  let sum = 0;
  for (let index = 0; index < left.length; index++) sum += (left[index] ?? 0) * (right[index] ?? 0);
  return sum;
}
