// Owns running an encoder's graph over one text at a time, for calibration and evaluation.
// Knows nothing about serving: no batches, no queue.
import { bug } from '../../errors.ts';
import { OrtSession, OrtTensor, RunBinding } from '../../ort/index.ts';
import { ENCODER_OUTPUT, type EncoderConfig, type EncoderPooling } from '../manifest.ts';

/** Holds a session until it is disposed. */
export class EncoderRun implements Disposable {
  readonly #session: OrtSession;
  readonly #config: EncoderConfig;

  /** @throws OrtError when the graph does not load */
  constructor(graphPath: string, config: EncoderConfig, threads: number) {
    this.#config = config;
    this.#session = OrtSession.create(graphPath, { threads });
  }

  /** The text's row: a vector or logits. Special tokens are among its tokens. */
  async embed(tokens: readonly number[]): Promise<Float32Array> {
    const { head } = this.#config;
    const width = head.kind === 'embedding' ? head.dimensions : head.labels.length;
    const row = new Float32Array(new ArrayBuffer(width * 4));
    using output = OrtTensor.over(row, [1, width]);
    await this.run(tokens, { [ENCODER_OUTPUT]: output });
    return row;
  }

  /** Runs one text; `outputs` are filled. */
  async run(tokens: readonly number[], outputs: Readonly<Record<string, OrtTensor>>): Promise<void> {
    const all = textInputs(tokens, this.#config.head.pooling);
    const inputs = Object.fromEntries(this.#session.inputs.map(({ name }) => [name, all[name] ?? bug(`The graph has an input ${name}.`)]));
    try {
      await new RunBinding(this.#session, { inputs, outputs }).runAsync();
    } finally {
      for (const tensor of Object.values(all)) tensor.dispose();
    }
  }

  [Symbol.dispose](): void {
    this.#session.dispose();
  }
}

/** The graph's inputs for one text alone, which needs no padding: every token is at its own place. */
function textInputs(tokens: readonly number[], pooling: EncoderPooling): Readonly<Record<string, OrtTensor>> {
  const count = tokens.length;
  const int64 = (values: readonly number[]): BigInt64Array => BigInt64Array.from(values, BigInt);
  const places = Array.from(tokens, (_, place) => place);
  return {
    input_ids: OrtTensor.over(int64(tokens), [count]),
    positions: OrtTensor.over(int64(places), [count]),
    token_types: OrtTensor.over(new BigInt64Array(count), [count]),
    padded_rows: OrtTensor.over(int64(places), [1, count]),
    packed_places: OrtTensor.over(int64(places), [count]),
    seqlens_k: OrtTensor.over(Int32Array.of(count - 1), [1]),
    total_sequence_length: OrtTensor.over(Int32Array.of(count), []),
    pool_weights: OrtTensor.over(poolWeights(count, pooling), [1, 1, count]),
  };
}

function poolWeights(count: number, pooling: EncoderPooling): Float32Array {
  if (pooling === 'mean') return new Float32Array(count).fill(1 / count);
  const weights = new Float32Array(count);
  weights[pooling === 'cls' ? 0 : count - 1] = 1;
  return weights;
}
