// Owns the interface between batching and computing: one run of an encoder over a batch of texts.
// Knows nothing about requests. `ort-encoder.ts` implements it on ONNX Runtime, tests with a fake.

/** A tokenized text. */
export interface EncoderText {
  /** Special tokens included. */
  readonly tokens: Int32Array;
  /** Where the second text of a pair begins; the number of tokens when there is none. */
  readonly secondStart: number;
}

export interface EncoderSession {
  /** Numbers in one row: dimensions of a vector, or labels of a head. */
  readonly width: number;
  /** Rows [texts, width], in memory of their own. One run at a time, at least one text. */
  run(texts: readonly EncoderText[]): Promise<Float32Array>;
  dispose(): void;
}
