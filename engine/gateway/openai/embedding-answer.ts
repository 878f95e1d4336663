// Shapes vectors as OpenAI's embeddings answer, as pieces of JSON text: thousands of vectors must not hold up the event loop.
// Knows nothing about HTTP.
import type { Encoding } from '../../fleet/host.ts';

export interface EmbeddingShape {
  /** The model as the client spelled it. */
  readonly model: string;
  readonly format: 'float' | 'base64';
  /** Numbers of each vector that are told; those of a shortened vector are scaled to length 1 again. */
  readonly dimensions: number;
}

/** Numbers written in one piece: a few milliseconds. */
const PIECE_NUMBERS = 16_384;

/** The answer's JSON text in pieces, a bounded number of vectors each. */
export function* embeddingPieces(encoding: Encoding, shape: EmbeddingShape): Generator<string> {
  const { width, tokens, cachedTokens } = encoding;
  const count = tokens.length;
  const step = Math.max(1, Math.floor(PIECE_NUMBERS / width));
  yield '{"object":"list","data":[';
  for (let first = 0; first < count; first += step) {
    const rows = Array.from({ length: Math.min(step, count - first) }, (_, at) => embeddingJson(encoding, first + at, shape));
    yield (first === 0 ? '' : ',') + rows.join(',');
  }
  const total = tokens.reduce((sum, one) => sum + one, 0);
  const details = cachedTokens === undefined ? '' : `,"prompt_tokens_details":{"cached_tokens":${cachedTokens}}`;
  yield `],"model":${JSON.stringify(shape.model)},"usage":{"prompt_tokens":${total},"total_tokens":${total}${details}}}`;
}

function embeddingJson(encoding: Encoding, index: number, { format, dimensions }: EmbeddingShape): string {
  const vector = vectorOf(encoding, index, dimensions);
  const embedding = format === 'base64' ? `"${base64(vector)}"` : `[${vector.join(',')}]`;
  return `{"object":"embedding","index":${index},"embedding":${embedding}}`;
}

/** One row, shortened where fewer dimensions are asked for. */
export function vectorOf({ values, width }: Encoding, index: number, dimensions: number): Float32Array {
  const whole = values.subarray(index * width, (index + 1) * width);
  return dimensions === width ? whole : shortened(whole, dimensions);
}

/** The first numbers, scaled to length 1 (Matryoshka representation learning, arXiv 2205.13147). */
function shortened(vector: Float32Array, dimensions: number): Float32Array {
  const head = vector.slice(0, dimensions);
  const norm = Math.sqrt(head.reduce((sum, value) => sum + value * value, 0));
  return norm === 0 ? head : head.map((value) => value / norm);
}

/** Little-endian, as every platform here stores it. */
function base64(vector: Float32Array): string {
  return Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength).toString('base64');
}
