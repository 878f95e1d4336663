// Owns running a variant's graph over one sequence, chunk by chunk, for calibration and evaluation.
// Knows nothing about serving: no batches, no sampling.
import { bug } from '../../errors.ts';
import { OrtSession, OrtTensor, RunBinding } from '../../ort/index.ts';
import { type DecoderConfig, GRAPH_TOP_COUNT, type VariantManifest } from '../manifest.ts';

export interface PromptRunOptions {
  readonly graphPath: string;
  readonly config: DecoderConfig;
  /** Default: float32. */
  readonly kvType?: VariantManifest['kvType'];
  /** Tokens the KV cache holds. */
  readonly capacity: number;
  readonly threads: number;
}

/** Forms of the KV cache that this processor computes with. */
const CACHE_ARRAYS = { f32: Float32Array, i8: Int8Array } as const;

/** Holds a session and its KV cache until it is disposed. */
export class PromptRun implements Disposable {
  readonly config: DecoderConfig;
  readonly #session: OrtSession;
  readonly #caches: ReadonlyMap<string, OrtTensor>;
  #length = 0;

  /** @throws OrtError when the graph does not load */
  constructor({ graphPath, config, kvType = 'f32', capacity, threads }: PromptRunOptions) {
    this.config = config;
    this.#session = OrtSession.create(graphPath, { threads });
    const shape = [1, config.kvHeadCount, capacity, config.headDim];
    const size = shape.reduce((product, dim) => product * dim, 1);
    const names = Array.from({ length: config.layerCount }, (_, layer) => [`k_${layer}`, `v_${layer}`]).flat();
    this.#caches = new Map(names.map((name) => [name, OrtTensor.over(new CACHE_ARRAYS[kvType](size), shape)]));
  }

  /** Forgets the sequence. */
  reset(): void {
    this.#length = 0;
  }

  /** Appends tokens and returns the logits of each, [tokens, vocab]; `extras` are filled with other outputs of the graph. */
  append(tokens: Int32Array, extras: Readonly<Record<string, OrtTensor>> = {}): Promise<Float32Array> {
    return this.#step(tokens, 0, extras);
  }

  /** Appends tokens as serving does, which computes the logits of the last one alone; returns its likeliest successor. */
  async read(tokens: Int32Array): Promise<number> {
    const logits = await this.#step(tokens, tokens.length - 1, {});
    let best = 0;
    for (let token = 1; token < logits.length; token++) if ((logits[token] ?? 0) > (logits[best] ?? 0)) best = token;
    return best;
  }

  /** Logits of the tokens from `firstRow` on. */
  async #step(tokens: Int32Array, firstRow: number, extras: Readonly<Record<string, OrtTensor>>): Promise<Float32Array> {
    const rows = tokens.length - firstRow;
    const logits = new Float32Array(rows * this.config.vocabSize);
    const step = { ...this.#inputs(tokens, firstRow), ...this.#cache('past') };
    const outputs = { ...this.#outputs(rows, logits), ...this.#cache('present') };
    try {
      await new RunBinding(this.#session, { inputs: step, outputs: { ...outputs, ...extras } }).runAsync();
    } finally {
      for (const [name, tensor] of Object.entries({ ...step, ...outputs })) if (!isCache(name)) tensor.dispose();
    }
    this.#length += tokens.length;
    return logits;
  }

  /** Largest magnitude in each channel of what a float32 cache holds, [kvHeads · headDim]. */
  cacheMaxima(layer: number, side: 'k' | 'v'): Float32Array {
    const { kvHeadCount, headDim } = this.config;
    const maxima = new Float32Array(kvHeadCount * headDim);
    const content = this.#caches.get(`${side}_${layer}`)?.memory;
    if (!(content instanceof Float32Array)) return bug('Only a float32 cache has maxima.');
    const headSize = content.length / kvHeadCount;
    content.forEach((value, at) => {
      const channel = Math.floor(at / headSize) * headDim + (at % headDim);
      maxima[channel] = Math.max(maxima[channel] ?? 0, Math.abs(value));
    });
    return maxima;
  }

  [Symbol.dispose](): void {
    for (const cache of this.#caches.values()) cache.dispose();
    this.#session.dispose();
  }

  #inputs(tokens: Int32Array, firstRow: number): Record<string, OrtTensor> {
    const count = tokens.length;
    const rows = count - firstRow;
    const total = this.#length + count;
    return {
      input_ids: OrtTensor.over(BigInt64Array.from(tokens, BigInt), [1, count]),
      seqlens_k: OrtTensor.over(Int32Array.of(total - 1), [1]),
      total_sequence_length: OrtTensor.over(Int32Array.of(total), []),
      rows: OrtTensor.over(
        BigInt64Array.from({ length: rows }, (_, row) => BigInt(firstRow + row)),
        [rows],
      ),
      inverse_temperature: OrtTensor.over(new Float32Array(rows).fill(1), [rows, 1]),
    };
  }

  #outputs(rows: number, logits: Float32Array): Record<string, OrtTensor> {
    const top = Math.min(GRAPH_TOP_COUNT, this.config.vocabSize);
    return {
      logits: OrtTensor.over(logits, [rows, this.config.vocabSize]),
      top_values: OrtTensor.over(new Float32Array(rows * top), [rows, top]),
      top_indices: OrtTensor.over(new BigInt64Array(rows * top), [rows, top]),
      log_sum_exp: OrtTensor.over(new Float32Array(rows), [rows]),
    };
  }

  #cache(when: 'past' | 'present'): Record<string, OrtTensor> {
    return Object.fromEntries(Array.from(this.#caches, ([name, tensor]) => [`${when}_${name}`, tensor]));
  }
}

const isCache = (name: string): boolean => name.startsWith('past_') || name.startsWith('present_');
