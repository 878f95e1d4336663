// Owns what the operators used here can compute at all, so that a model beyond it is refused before it is converted.
// Knows nothing about files.
import { EngineError } from '../../errors.ts';
import { type DecoderConfig, GRAPH_TOP_COUNT } from '../manifest.ts';

/** GroupQueryAttention with rotation takes heads, and rotated parts of heads, of multiples of this (ONNX Runtime 1.30, CPU). */
const HEAD_STEP = 16;

/** Throws `unsupported_model` with the limit that the config exceeds. */
export function checkLimits({ headDim, rope, vocabSize }: DecoderConfig): void {
  if (headDim % HEAD_STEP !== 0) throw refused(`its heads have ${headDim} dimensions, not a multiple of ${HEAD_STEP}`);
  if (rope.dim % HEAD_STEP !== 0) throw refused(`it rotates ${rope.dim} dimensions of each head, not a multiple of ${HEAD_STEP}`);
  if (vocabSize < GRAPH_TOP_COUNT) throw refused(`its vocabulary has ${vocabSize} tokens, fewer than ${GRAPH_TOP_COUNT}`);
}

function refused(why: string): EngineError {
  return new EngineError('unsupported_model', `This model cannot be run: ${why}.`);
}
