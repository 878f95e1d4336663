// Owns nothing but the bundle that every part of the encoder writer works on.
import type { PrecisionPlan } from '../linear.ts';
import type { GraphBuilder } from '../onnx.ts';
import type { EncoderWeights } from './weights.ts';

/** What each part of an encoder's variant becomes. Nothing is smoothed: a norm's output is read by the sum as well as by the layer. */
export type EncoderPlan = Omit<PrecisionPlan, 'smoothing' | 'cacheScales'>;

/** A graph under construction, what it is made from, and in which forms. */
export interface EncoderGraph {
  readonly b: GraphBuilder;
  readonly weights: EncoderWeights;
  readonly plan: EncoderPlan;
}
