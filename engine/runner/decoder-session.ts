// Owns the interface between scheduling and computing: one step of a decoder over a range of KV slots.
// Knows nothing about requests. `ort-decoder.ts` implements it on ONNX Runtime, tests with a fake that checks its KV.

/** One run of the graph. B = `pastLengths.length` sequences in the slots [firstSlot, firstSlot + B), S new tokens each. */
export interface StepRequest {
  readonly firstSlot: number;
  /** [B·S], row by row. */
  readonly tokens: Int32Array;
  /** [B], tokens each slot holds before the step; the new ones are written behind them. B > 1 demands S = 1. */
  readonly pastLengths: Int32Array;
  /** [R], R ≥ 1: which of the B·S positions reach the output head. */
  readonly rows: Int32Array;
  /** [R] */
  readonly inverseTemperatures: Float32Array;
}

/** What the graph knows about one position's next token. Views into the session's memory, valid until its next step. */
export interface LogitsRow {
  /** [vocab], not scaled. */
  readonly logits: Float32Array;
  /** The largest logits in falling order, ties by the lower index. */
  readonly topValues: Float32Array;
  readonly topIndices: Int32Array;
  /** Of logits · inverseTemperature. */
  readonly logSumExp: number;
  readonly inverseTemperature: number;
}

export interface DecoderSession {
  readonly vocabSize: number;
  readonly slotCount: number;
  /** Tokens a slot can hold. */
  readonly capacity: number;
  /** KV bytes of one token of one slot, all layers. */
  readonly bytesPerToken: number;
  /** Tokens whose KV shares a page of memory: the grain of commit and release. */
  readonly tokensPerPage: number;
  /** One row for each entry of `rows`. @throws StepTerminated when `terminate` was called meanwhile; the new positions' KV is then undefined. */
  step(request: StepRequest): Promise<readonly LogitsRow[]>;
  /** Ends the step in flight early, if there is one. */
  terminate(): void;
  /** Copies the KV of the first `count` tokens from one slot to another. Not during a step. */
  copyRows(from: number, to: number, count: number): void;
  /** Gives the memory of tokens [from, to) of a slot back to the system; their KV is undefined afterwards. Not during a step. */
  releaseRows(slot: number, from: number, to: number): void;
  /** Gives back the memory that large steps needed beside the KV. Writes to the first token of the first slot. Not during a step. */
  releaseScratch(): Promise<void>;
  dispose(): void;
}

/** A step was cut short by `terminate`. */
export class StepTerminated extends Error {
  override readonly name = 'StepTerminated';
}
