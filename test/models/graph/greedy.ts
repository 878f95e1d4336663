// Runs a decoder graph through the native API the simplest way: one sequence, one KV buffer a layer, greedy choice.
import type { DecoderConfig } from '../../../engine/models/manifest.ts';
import { OrtSession, OrtTensor, RunBinding } from '../../../engine/ort/index.ts';

/** What one run answers for the rows it was asked for. */
export interface StepResult {
  /** [rows, vocab] */
  readonly logits: Float32Array;
  readonly topValues: Float32Array;
  readonly topIndices: BigInt64Array;
  readonly logSumExp: Float32Array;
}

/** One sequence on one session; `position` tokens are in its cache. */
export class GreedyDecoder implements Disposable {
  readonly #session: OrtSession;
  readonly #config: DecoderConfig;
  readonly #cache: Readonly<Record<string, OrtTensor>>;
  position = 0;

  constructor(graphPath: string, config: DecoderConfig, capacity: number) {
    this.#session = OrtSession.create(graphPath, { threads: 1 });
    this.#config = config;
    const shape = [1, config.kvHeadCount, capacity, config.headDim];
    const names = config.layers.flatMap((_, layer) => [`k_${layer}`, `v_${layer}`]);
    const buffer = (): OrtTensor => OrtTensor.over(new Float32Array(shape.reduce((a, b) => a * b)), shape);
    this.#cache = Object.fromEntries(names.map((name) => [name, buffer()]));
  }

  /** Feeds tokens and answers the last `rows` of them. */
  feed(tokens: readonly number[], rows = 1, temperature = 1): StepResult {
    const { vocabSize } = this.#config;
    const total = this.position + tokens.length;
    const result: StepResult = {
      logits: new Float32Array(rows * vocabSize),
      topValues: new Float32Array(rows * 64),
      topIndices: new BigInt64Array(rows * 64),
      logSumExp: new Float32Array(rows),
    };
    const wanted = BigInt64Array.from({ length: rows }, (_, row) => BigInt(tokens.length - rows + row));
    const binding = new RunBinding(this.#session, {
      inputs: {
        input_ids: OrtTensor.over(BigInt64Array.from(tokens, BigInt), [1, tokens.length]),
        seqlens_k: OrtTensor.over(Int32Array.of(total - 1), [1]),
        total_sequence_length: OrtTensor.over(Int32Array.of(total), []),
        rows: OrtTensor.over(wanted, [rows]),
        inverse_temperature: OrtTensor.over(new Float32Array(rows).fill(1 / temperature), [rows, 1]),
        ...this.#bound('past'),
      },
      outputs: {
        logits: OrtTensor.over(result.logits, [rows, vocabSize]),
        top_values: OrtTensor.over(result.topValues, [rows, 64]),
        top_indices: OrtTensor.over(result.topIndices, [rows, 64]),
        log_sum_exp: OrtTensor.over(result.logSumExp, [rows]),
        ...this.#bound('present'),
      },
    });
    binding.run();
    this.position = total;
    return result;
  }

  /** The most likely continuation, the first token chosen from `first`. */
  greedy(first: StepResult, count: number): number[] {
    const tokens: number[] = [];
    let step = first;
    for (let at = 0; at < count; at++) {
      const token = argmax(step.logits.subarray(-this.#config.vocabSize));
      tokens.push(token);
      if (at + 1 < count) step = this.feed([token]);
    }
    return tokens;
  }

  [Symbol.dispose](): void {
    for (const tensor of Object.values(this.#cache)) tensor.dispose();
    this.#session.dispose();
  }

  #bound(when: 'past' | 'present'): Record<string, OrtTensor> {
    return Object.fromEntries(Object.entries(this.#cache).map(([name, tensor]) => [`${when}_${name}`, tensor]));
  }
}

export function argmax(values: Float32Array): number {
  let best = 0;
  values.forEach((value, at) => {
    if (value > (values[best] ?? -Infinity)) best = at;
  });
  return best;
}
