// Owns which model a fresh installation serves.
import type { Precision } from '../models/manifest.ts';

/** A name that the catalogue of sources knows. */
export const DEFAULT_MODEL = 'smollm2-135m-instruct';
/** As accurate as FP32 for most uses at a quarter of its size, and the fastest where requests are batched. */
export const DEFAULT_PRECISION: Precision = 'int8';
