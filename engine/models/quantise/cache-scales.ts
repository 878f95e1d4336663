// Owns the scales of an 8-bit KV cache: one a channel, from the largest magnitudes of a calibration.
// Knows nothing about graphs.
import { bug } from '../../errors.ts';
import type { CacheScales } from '../graph/kv-cache.ts';
import type { LayerSmoothing } from '../graph/linear.ts';
import type { LayerMaxima } from './smoothing.ts';

/** Texts beyond the calibration reach further; what is outside is cut off. */
const HEADROOM = 1.2;
const LARGEST_BYTE = 127;
/** Channels that never fire must not divide by zero. */
const SMALLEST_SCALE = 1e-6;

/** `maxima` of the model as it is; its values are stored as the smoothed projection makes them. */
export function cacheScales(maxima: readonly LayerMaxima[], smoothing: (layer: number) => LayerSmoothing | null): CacheScales {
  const scales = maxima.map(({ keys, values }, layer) => {
    const factors = smoothing(layer)?.attnOut ?? null;
    return { k: keys.map(scaleOf), v: values.map((largest, channel) => scaleOf(largest / (factors?.[channel] ?? 1))) };
  });
  return (layer, side) => scales[layer]?.[side] ?? bug(`Layer ${layer} was not calibrated.`);
}

function scaleOf(largest: number): number {
  return Math.max(SMALLEST_SCALE, (largest * HEADROOM) / LARGEST_BYTE);
}
