// Owns a decoder on ONNX Runtime: its session, the KV cache as native memory [slots, kvHeads, capacity, headDim] a layer, and the
// tensors of each step. Past and present are the same memory, so a step writes the new positions in place.
// Knows nothing about requests.
import { NativeMemory, OrtError, OrtSession, OrtTensor, type RunBinding, RunOptions, type ElementType } from '../ort/index.ts';
import { GRAPH_TOP_COUNT, type DecoderConfig, type VariantManifest } from '../models/manifest.ts';
import { StepTerminated, type DecoderSession, type LogitsRow, type StepRequest } from './decoder-session.ts';
import { StepTensors } from './step-tensors.ts';

export interface OrtDecoderOptions {
  /** Absolute path of the graph. */
  readonly graphFile: string;
  readonly config: DecoderConfig;
  readonly kvType: VariantManifest['kvType'];
  /** Intra-op threads. */
  readonly threads: number;
  readonly slotCount: number;
  /** Tokens a slot can hold. */
  readonly capacity: number;
}

/** Bytes of one element of the KV cache, and its type in the graph. */
const KV_TYPES: Readonly<Record<VariantManifest['kvType'], { readonly bytes: number; readonly type: ElementType }>> = {
  f32: { bytes: 4, type: 'float32' },
  i8: { bytes: 1, type: 'int8' },
};
/** Slot ranges whose tensors are kept ready. */
const MAX_BINDINGS = 32;
const PAGE_BYTES = 4096;
/** A run with this entry returns the arena's unused regions at its end. */
const SHRINK_ARENA = { 'memory.enable_memory_arena_shrinkage': 'cpu:0' };
const SMALLEST_STEP: StepRequest = {
  firstSlot: 0,
  tokens: Int32Array.of(0),
  pastLengths: Int32Array.of(0),
  rows: Int32Array.of(0),
  inverseTemperatures: Float32Array.of(1),
};

/** KV bytes of one token in all layers. */
export function kvBytesPerToken(config: DecoderConfig, kvType: VariantManifest['kvType']): number {
  return config.layerCount * 2 * config.kvHeadCount * config.headDim * KV_TYPES[kvType].bytes;
}

/** The KV tensors of one range of slots, bound. */
interface RangeBinding {
  readonly binding: RunBinding;
  readonly tensors: readonly OrtTensor[];
}

export class OrtDecoder implements DecoderSession {
  readonly vocabSize: number;
  readonly slotCount: number;
  readonly capacity: number;
  readonly bytesPerToken: number;
  readonly tokensPerPage: number;
  readonly #options: OrtDecoderOptions;
  readonly #session: OrtSession;
  readonly #kv: NativeMemory;
  readonly #tensors: StepTensors;
  readonly #runOptions = new RunOptions();
  /** By range, the least recently used first. */
  readonly #bindings = new Map<string, RangeBinding>();

  /** Loads the graph; blocks until it is loaded. @throws OrtError */
  constructor(options: OrtDecoderOptions) {
    const { config, kvType } = options;
    this.#options = options;
    this.vocabSize = config.vocabSize;
    this.slotCount = options.slotCount;
    this.capacity = options.capacity;
    this.bytesPerToken = kvBytesPerToken(config, kvType);
    this.tokensPerPage = Math.max(1, Math.ceil(PAGE_BYTES / this.#rowBytes));
    this.#session = OrtSession.create(options.graphFile, { threads: options.threads });
    this.#kv = new NativeMemory(config.layerCount * 2 * this.slotCount * this.#slotBytes);
    this.#tensors = new StepTensors(config.vocabSize, Math.min(GRAPH_TOP_COUNT, config.vocabSize));
  }

  async step(request: StepRequest): Promise<readonly LogitsRow[]> {
    this.#runOptions.clearTerminate();
    return await this.#run(request, this.#runOptions);
  }

  async releaseScratch(): Promise<void> {
    using shrinking = new RunOptions(SHRINK_ARENA);
    await this.#run(SMALLEST_STEP, shrinking);
    this.releaseRows(0, 0, this.tokensPerPage);
  }

  async #run(request: StepRequest, options: RunOptions): Promise<readonly LogitsRow[]> {
    const { binding } = this.#bindingFor(request.firstSlot, request.pastLengths.length);
    using bound = this.#tensors.bind(binding, request);
    try {
      await binding.runAsync(options);
    } catch (error) {
      if (error instanceof OrtError && error.code === 'TERMINATED') throw new StepTerminated('The step was ended early.', { cause: error });
      throw error;
    }
    return bound.rows();
  }

  terminate(): void {
    this.#runOptions.terminate();
  }

  copyRows(from: number, to: number, count: number): void {
    for (const strip of this.#strips()) this.#kv.copy(strip + from * this.#slotBytes, strip + to * this.#slotBytes, count * this.#rowBytes);
  }

  releaseRows(slot: number, from: number, to: number): void {
    for (const strip of this.#strips())
      this.#kv.release(strip + slot * this.#slotBytes + from * this.#rowBytes, (to - from) * this.#rowBytes);
  }

  dispose(): void {
    for (const { tensors } of this.#bindings.values()) for (const tensor of tensors) tensor.dispose();
    this.#bindings.clear();
    this.#kv.dispose();
    this.#runOptions.dispose();
    this.#session.dispose();
  }

  /** Bytes of one token in one head. */
  get #rowBytes(): number {
    return this.#options.config.headDim * KV_TYPES[this.#options.kvType].bytes;
  }

  /** Bytes of one slot in one layer's keys or values. */
  get #slotBytes(): number {
    return this.#options.config.kvHeadCount * this.capacity * this.#rowBytes;
  }

  /** Where each layer's keys and values of each head begin, in slot 0: the runs of bytes that one token's KV is spread over. */
  *#strips(): Iterable<number> {
    const { layerCount, kvHeadCount } = this.#options.config;
    for (let plane = 0; plane < layerCount * 2; plane++) {
      for (let head = 0; head < kvHeadCount; head++) yield plane * this.slotCount * this.#slotBytes + head * this.capacity * this.#rowBytes;
    }
  }

  #bindingFor(first: number, count: number): RangeBinding {
    const key = `${first}+${count}`;
    const known = this.#bindings.get(key) ?? this.#bind(first, count);
    this.#bindings.delete(key);
    this.#bindings.set(key, known);
    const [oldest] = this.#bindings;
    if (this.#bindings.size > MAX_BINDINGS && oldest !== undefined) {
      for (const tensor of oldest[1].tensors) tensor.dispose();
      this.#bindings.delete(oldest[0]);
    }
    return known;
  }

  #bind(first: number, count: number): RangeBinding {
    const { config, kvType } = this.#options;
    const inputs: Record<string, OrtTensor> = {};
    const outputs: Record<string, OrtTensor> = {};
    const shape = [count, config.kvHeadCount, this.capacity, config.headDim];
    for (let layer = 0; layer < config.layerCount; layer++) {
      ['k', 'v'].forEach((side, place) => {
        const offset = ((layer * 2 + place) * this.slotCount + first) * this.#slotBytes;
        const tensor = OrtTensor.overMemory(this.#kv, offset, shape, KV_TYPES[kvType].type);
        inputs[`past_${side}_${layer}`] = tensor;
        outputs[`present_${side}_${layer}`] = tensor;
      });
    }
    const tensors = Object.values(inputs);
    return { tensors, binding: this.#tensors.createBinding(this.#session, { inputs, outputs }) };
  }
}
