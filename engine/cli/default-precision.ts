// Owns in which precision a model is installed when nobody says otherwise.
import type { Precision } from '../models/manifest.ts';

/** As accurate as FP32 for most uses at a quarter of its size, and the fastest where requests are batched. */
export const DEFAULT_PRECISION: Precision = 'int8';
