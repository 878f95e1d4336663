// Owns nothing but the bundle that every part of the decoder writer works on.
import type { DecoderWeights } from './decoder-weights.ts';
import type { PrecisionPlan } from './linear.ts';
import type { GraphBuilder } from './onnx.ts';

/** A graph under construction, what it is made from, and in which forms. */
export interface DecoderGraph {
  readonly b: GraphBuilder;
  readonly weights: DecoderWeights;
  readonly plan: PrecisionPlan;
}
