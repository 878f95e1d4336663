// Owns how a batch of texts is laid out for an encoder graph: N texts of together T tokens, the longest of L. Pure.
import type { EncoderPooling } from '../../models/manifest.ts';
import type { EncoderText } from './encoder-session.ts';

/** The graph's inputs, as models/manifest.ts explains them. */
export interface PackedTexts {
  readonly textCount: number;
  readonly tokenCount: number;
  readonly longest: number;
  /** [T] */
  readonly inputIds: BigInt64Array;
  /** [T] */
  readonly positions: BigInt64Array;
  /** [T] */
  readonly tokenTypes: BigInt64Array;
  /** [N, L] */
  readonly paddedRows: BigInt64Array;
  /** [T] */
  readonly packedPlaces: BigInt64Array;
  /** [N] */
  readonly lastPlaces: Int32Array;
  /** [1] */
  readonly longestScalar: Int32Array;
  /** [N, 1, L] */
  readonly poolWeights: Float32Array;
}

/** At least one text, each of at least one token. */
export function packTexts(texts: readonly EncoderText[], pooling: EncoderPooling): PackedTexts {
  const longest = Math.max(...texts.map(({ tokens }) => tokens.length));
  const tokenCount = texts.reduce((total, { tokens }) => total + tokens.length, 0);
  const [inputIds, positions, tokenTypes, packedPlaces] = Array.from({ length: 4 }, () => new Indices(tokenCount)) as [
    Indices,
    Indices,
    Indices,
    Indices,
  ];
  const paddedRows = new Indices(texts.length * longest);
  const lastPlaces = new Int32Array(new ArrayBuffer(texts.length * 4));
  const poolWeights = new Float32Array(new ArrayBuffer(texts.length * longest * 4));
  let first = 0;
  texts.forEach(({ tokens, secondStart }, text) => {
    const { length } = tokens;
    for (let place = 0; place < longest; place++) {
      const padded = text * longest + place;
      // Places beyond the end repeat the text's last token; attention does not look at them.
      const packed = first + Math.min(place, length - 1);
      paddedRows.set(padded, packed);
      if (place >= length) continue;
      inputIds.set(packed, tokens[place] ?? 0);
      positions.set(packed, place);
      tokenTypes.set(packed, place < secondStart ? 0 : 1);
      packedPlaces.set(packed, padded);
      poolWeights[padded] = poolWeight(pooling, place, length);
    }
    lastPlaces[text] = length - 1;
    first += length;
  });
  const longestScalar = new Int32Array(new ArrayBuffer(4)).fill(longest);
  const indices = { inputIds, positions, tokenTypes, paddedRows, packedPlaces };
  const arrays = Object.fromEntries(Object.entries(indices).map(([name, { values }]) => [name, values])) as Record<
    keyof typeof indices,
    BigInt64Array
  >;
  return { textCount: texts.length, tokenCount, longest, ...arrays, lastPlaces, longestScalar, poolWeights };
}

function poolWeight(pooling: EncoderPooling, place: number, length: number): number {
  if (pooling === 'mean') return 1 / length;
  return place === (pooling === 'cls' ? 0 : length - 1) ? 1 : 0;
}

/** int64 numbers below 2³¹, written as their low words: BigInts one by one take ten times as long. Little-endian, as every platform here. */
class Indices {
  readonly values: BigInt64Array;
  readonly #words: Int32Array;

  constructor(length: number) {
    // V8 moves small typed arrays on its own heap; one over an ArrayBuffer stays where it is.
    const memory = new ArrayBuffer(length * 8);
    this.values = new BigInt64Array(memory);
    this.#words = new Int32Array(memory);
  }

  set(at: number, value: number): void {
    this.#words[at * 2] = value;
  }
}
