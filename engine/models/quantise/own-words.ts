// Owns a text in a model's own words: several streams written from nothing, sampled at temperature 1, the same for the same model.
// What a model says by itself goes through it as what it was trained on does, and no such text has to be shipped.
// (Calibration on generated text: LLM-QAT, arXiv 2305.17888, section 3.1.)
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { OrtSession, OrtTensor, RunBinding } from '../../ort/index.ts';
import { writeVariant } from '../convert/variant.ts';
import type { PrecisionPlan } from '../graph/linear.ts';
import { GRAPH_TOP_COUNT, type DecoderConfig } from '../manifest.ts';
import type { SourceModel } from '../readers/source-model.ts';

export interface OwnWordsRequest {
  readonly source: SourceModel;
  /** Forms to write with, near enough to float32. */
  readonly plan: PrecisionPlan;
  readonly folder: string;
  readonly threads: number;
  readonly signal?: AbortSignal;
}

/** Streams that are written at once, and how often; their KV caches are in memory together. */
const STREAMS = 8;
const ROUNDS = 2;
const MOST_TOKENS = 512;

/** 16 texts of 512 tokens, shorter where the context is. */
export async function ownWords({ source, plan, folder, threads, signal }: OwnWordsRequest): Promise<readonly Int32Array[]> {
  await mkdir(folder, { recursive: true });
  const stop = signal === undefined ? {} : { signal };
  const { graphFile } = await writeVariant({ source, plan, name: 'own-words', modelDir: folder, ...stop });
  const { config, tokenizer } = source;
  const length = Math.min(MOST_TOKENS, config.contextLength);
  using streams = new Streams({ graphPath: join(folder, graphFile), config, length, threads });
  const next = noise();
  const texts: Int32Array[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    // Half of them begin as texts do, half with any token, so that not all say the same.
    const firsts = Int32Array.from({ length: STREAMS }, (_, stream) =>
      stream % 2 === 0 && tokenizer.bosToken !== null ? tokenizer.bosToken : Math.floor(next() * config.vocabSize),
    );
    texts.push(...(await streams.write(firsts, next, signal)));
  }
  return texts;
}

interface StreamsOptions {
  readonly graphPath: string;
  readonly config: DecoderConfig;
  readonly length: number;
  readonly threads: number;
}

/** A session that writes several streams in step. */
class Streams implements Disposable {
  readonly #options: StreamsOptions;
  readonly #session: OrtSession;
  readonly #caches: Readonly<Record<string, OrtTensor>>;

  constructor(options: StreamsOptions) {
    const { graphPath, config, length, threads } = options;
    this.#options = options;
    this.#session = OrtSession.create(graphPath, { threads });
    const shape = [STREAMS, config.kvHeadCount, length, config.headDim];
    const size = shape.reduce((product, dim) => product * dim, 1);
    const names = Array.from({ length: config.layerCount }, (_, layer) => [`k_${layer}`, `v_${layer}`]).flat();
    this.#caches = Object.fromEntries(names.map((name) => [name, OrtTensor.over(new Float32Array(size), shape)]));
  }

  /** Streams that begin with these tokens; `next` gives numbers from 0 to 1. */
  async write(firsts: Int32Array, next: () => number, signal: AbortSignal | undefined): Promise<readonly Int32Array[]> {
    const { length } = this.#options;
    const texts = Array.from(firsts, (first) => new Int32Array(length).fill(first, 0, 1));
    for (let at = 0; at + 1 < length; at++) {
      signal?.throwIfAborted();
      const { values, indices, width } = await this.#step(
        Int32Array.from(texts, (text) => text[at] ?? 0),
        at,
      );
      texts.forEach((text, stream) => {
        const row = values.subarray(stream * width, (stream + 1) * width);
        text[at + 1] = Number(indices[stream * width + draw(row, next())]);
      });
    }
    return texts;
  }

  async #step(tokens: Int32Array, past: number): Promise<{ values: Float32Array; indices: BigInt64Array; width: number }> {
    const { vocabSize } = this.#options.config;
    const width = Math.min(GRAPH_TOP_COUNT, vocabSize);
    const values = new Float32Array(STREAMS * width);
    const indices = new BigInt64Array(STREAMS * width);
    const inputs = {
      input_ids: OrtTensor.over(BigInt64Array.from(tokens, BigInt), [STREAMS, 1]),
      seqlens_k: OrtTensor.over(new Int32Array(STREAMS).fill(past), [STREAMS]),
      total_sequence_length: OrtTensor.over(Int32Array.of(past + 1), []),
      rows: OrtTensor.over(
        BigInt64Array.from({ length: STREAMS }, (_, row) => BigInt(row)),
        [STREAMS],
      ),
      inverse_temperature: OrtTensor.over(new Float32Array(STREAMS).fill(1), [STREAMS, 1]),
    };
    const outputs = {
      logits: OrtTensor.over(new Float32Array(STREAMS * vocabSize), [STREAMS, vocabSize]),
      top_values: OrtTensor.over(values, [STREAMS, width]),
      top_indices: OrtTensor.over(indices, [STREAMS, width]),
      log_sum_exp: OrtTensor.over(new Float32Array(STREAMS), [STREAMS]),
    };
    const cached = (when: string) => Object.fromEntries(Object.entries(this.#caches).map(([name, tensor]) => [`${when}_${name}`, tensor]));
    try {
      const bound = { inputs: { ...inputs, ...cached('past') }, outputs: { ...outputs, ...cached('present') } };
      await new RunBinding(this.#session, bound).runAsync();
    } finally {
      for (const tensor of [...Object.values(inputs), ...Object.values(outputs)]) tensor.dispose();
    }
    return { values, indices, width };
  }

  [Symbol.dispose](): void {
    for (const cache of Object.values(this.#caches)) cache.dispose();
    this.#session.dispose();
  }
}

/** The place that a number from 0 to 1 falls on, among logits in falling order. */
function draw(logits: Float32Array, at: number): number {
  const largest = logits[0] ?? 0;
  const weights = logits.map((logit) => Math.exp(logit - largest));
  let left = at * weights.reduce((sum, weight) => sum + weight, 0);
  for (let place = 0; place < weights.length; place++) {
    left -= weights[place] ?? 0;
    if (left < 0) return place;
  }
  return 0;
}

/** Numbers from 0 to 1, the same every time (a linear congruential generator: Numerical Recipes, section 7.1). */
function noise(): () => number {
  let state = 12_345;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
