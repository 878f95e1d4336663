// Owns what each precision means for an encoder on the CPU: the form of its projections, by measured speed and accuracy.
// Knows nothing about files.
import { EngineError, assertNever } from '../../errors.ts';
import type { EncoderPlan } from '../graph/encoder/graph.ts';
import { float32Plan } from '../graph/float32.ts';
import type { Precision } from '../manifest.ts';
import { blockEmbedding } from './block-embedding.ts';
import { blocks4Asymmetric } from './block-linear.ts';
import { int8Linear } from './int8-linear.ts';

/** Heads stay float32: they are a thousandth of the work. Throws `unsupported_model` for a precision that no provider here computes in. */
export function encoderPlan(precision: Precision): EncoderPlan {
  switch (precision) {
    case 'fp32':
      return float32Plan;
    case 'int8':
      return { precision, method: '8-bit weights and activations', embedding: blockEmbedding, format: () => int8Linear };
    case 'int4': {
      const format = blocks4Asymmetric(32);
      return { precision, method: format.name, embedding: blockEmbedding, format: () => format };
    }
    case 'fp16':
      throw new EngineError('unsupported_model', 'The CPU does not compute in fp16; choose fp32, int8 or int4.', { param: 'precision' });
    default:
      return assertNever(precision);
  }
}
