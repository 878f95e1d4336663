// Owns the token table as 8-bit blocks: a gather that decodes only the rows it reads.
// Knows nothing about the output head, which has its own layout of a tied table: this one stays mapped and only touched rows cost memory.
import { float32Embedding } from '../graph/float32.ts';
import type { EmbeddingFormat, LinearWeights } from '../graph/linear.ts';
import { addBlockTensors, type BlockSource } from './blocks.ts';
import { halfBlocks8, roundedBlocks8 } from './rounded-blocks.ts';
import { storedBlocks } from './stored-blocks.ts';

const BLOCK_SIZE = 32;

/** Q8_0 tables keep their blocks; others are rounded to 8-bit blocks of 32, or stay float32 where rows are no whole blocks. */
export const blockEmbedding: EmbeddingFormat = embeddingOf((weights) =>
  weights.sourceType === 'Q8_0' ? (storedBlocks('Q8_0') ?? roundedBlocks8(BLOCK_SIZE)) : roundedBlocks8(BLOCK_SIZE),
);

/** 8-bit blocks with float16 scales, which a tied head in the same form shares. */
export const halfEmbedding: EmbeddingFormat = embeddingOf(() => halfBlocks8(BLOCK_SIZE));

function embeddingOf(sourceOf: (weights: LinearWeights) => BlockSource): EmbeddingFormat {
  return {
    name: `8-bit blocks of ${BLOCK_SIZE}`,
    bits: 9,
    emit(b, ids, weights, out) {
      if (weights.inFeatures % BLOCK_SIZE !== 0) return float32Embedding.emit(b, ids, weights, out);
      const naming = { prefix: `${weights.name}.table`, codesBy: 'row' } as const;
      const { codes, scales } = addBlockTensors(b, weights, sourceOf(weights), naming);
      return b.node({
        op: 'GatherBlockQuantized',
        inputs: [codes, ids, scales],
        outputs: [out],
        attributes: { bits: 8, block_size: BLOCK_SIZE, gather_axis: 0, quantize_axis: 1 },
        domain: 'com.microsoft',
      });
    },
  };
}
