// Owns the small tensors of a step: tokens, lengths and rows in, logits and their top out. Their memory is used again in every step.
// Knows nothing about the KV cache.
import { OrtTensor, RunBinding, type BoundTensors, type OrtSession } from '../ort/index.ts';
import type { LogitsRow, StepRequest } from './decoder-session.ts';

/** The tensors of one step; disposing them leaves the results readable until the next step. */
export interface BoundStep extends Disposable {
  rows(): readonly LogitsRow[];
}

/** Outputs larger than this are given back after the step that needed them (log-probabilities of a prompt). */
const KEPT_ROWS = 32;

export class StepTensors {
  readonly #vocabSize: number;
  readonly #topCount: number;
  #tokens = new BigInt64Array(new ArrayBuffer(256 * 8));
  #rows = 0;
  #logits = new Float32Array(0);
  #topValues = new Float32Array(0);
  #topIndices = new BigInt64Array(0);

  constructor(vocabSize: number, topCount: number) {
    this.#vocabSize = vocabSize;
    this.#topCount = topCount;
  }

  /** A binding of the given KV tensors, with a step of one token in the other places. */
  createBinding(session: OrtSession, kv: BoundTensors): RunBinding {
    const count = Object.values(kv.inputs)[0]?.shape[0] ?? 1;
    const request = {
      firstSlot: 0,
      tokens: new Int32Array(count),
      pastLengths: new Int32Array(count),
      rows: new Int32Array(1),
      inverseTemperatures: new Float32Array(1),
    };
    using step = this.#create(request);
    return new RunBinding(session, { inputs: { ...kv.inputs, ...step.inputs }, outputs: { ...kv.outputs, ...step.outputs } });
  }

  /** Puts a step's tensors in their places. */
  bind(binding: RunBinding, request: StepRequest): BoundStep {
    const step = this.#create(request);
    for (const [name, tensor] of Object.entries(step.inputs)) binding.setInput(name, tensor);
    for (const [name, tensor] of Object.entries(step.outputs)) binding.setOutput(name, tensor);
    return { rows: () => this.#read(step.logSumExp, request.inverseTemperatures), [Symbol.dispose]: () => step[Symbol.dispose]() };
  }

  #create(request: StepRequest): BoundTensors & Disposable & { readonly logSumExp: Float32Array } {
    const { tokens, pastLengths, rows, inverseTemperatures } = request;
    const batch = pastLengths.length;
    const length = tokens.length / batch;
    this.#resize(tokens.length, rows.length);
    const ids = this.#tokens.subarray(0, tokens.length);
    tokens.forEach((token, place) => (ids[place] = BigInt(token)));
    const logSumExp = offHeap(Float32Array, rows.length);
    const inputs = {
      input_ids: OrtTensor.over(ids, [batch, length]),
      seqlens_k: OrtTensor.over(
        offHeap(
          Int32Array,
          batch,
          pastLengths.map((past) => past + length - 1),
        ),
        [batch],
      ),
      total_sequence_length: OrtTensor.over(offHeap(Int32Array, 1, [Math.max(...pastLengths) + length]), []),
      rows: OrtTensor.over(offHeap(BigInt64Array, rows.length, Array.from(rows, BigInt)), [rows.length]),
      inverse_temperature: OrtTensor.over(offHeap(Float32Array, rows.length, inverseTemperatures), [rows.length, 1]),
    };
    const outputs = {
      logits: OrtTensor.over(this.#logits.subarray(0, rows.length * this.#vocabSize), [rows.length, this.#vocabSize]),
      top_values: OrtTensor.over(this.#topValues.subarray(0, rows.length * this.#topCount), [rows.length, this.#topCount]),
      top_indices: OrtTensor.over(this.#topIndices.subarray(0, rows.length * this.#topCount), [rows.length, this.#topCount]),
      log_sum_exp: OrtTensor.over(logSumExp, [rows.length]),
    };
    const dispose = (): void => [...Object.values(inputs), ...Object.values(outputs)].forEach((tensor) => tensor.dispose());
    return { inputs, outputs, logSumExp, [Symbol.dispose]: dispose };
  }

  #read(logSumExp: Float32Array, inverseTemperatures: Float32Array): readonly LogitsRow[] {
    // int64 indices, read as their low words.
    const indices = new Int32Array(this.#topIndices.buffer, 0, this.#topIndices.length * 2);
    return Array.from(logSumExp, (value, row) => ({
      logits: this.#logits.subarray(row * this.#vocabSize, (row + 1) * this.#vocabSize),
      topValues: this.#topValues.subarray(row * this.#topCount, (row + 1) * this.#topCount),
      topIndices: Int32Array.from({ length: this.#topCount }, (_, rank) => indices[(row * this.#topCount + rank) * 2] ?? 0),
      logSumExp: value,
      inverseTemperature: inverseTemperatures[row] ?? 1,
    }));
  }

  #resize(tokens: number, rows: number): void {
    if (tokens > this.#tokens.length) this.#tokens = offHeap(BigInt64Array, tokens);
    if (rows === this.#rows || (rows < this.#rows && this.#rows <= KEPT_ROWS)) return;
    this.#rows = rows;
    this.#logits = offHeap(Float32Array, rows * this.#vocabSize);
    this.#topValues = offHeap(Float32Array, rows * this.#topCount);
    this.#topIndices = offHeap(BigInt64Array, rows * this.#topCount);
  }
}

/** V8 keeps small typed arrays on its own heap, where they move; one over an ArrayBuffer stays where it is. */
function offHeap<A>(
  ArrayType: { new (buffer: ArrayBuffer): A & { set(values: ArrayLike<unknown>): void }; readonly BYTES_PER_ELEMENT: number },
  length: number,
  values?: ArrayLike<unknown>,
): A {
  const array = new ArrayType(new ArrayBuffer(length * ArrayType.BYTES_PER_ELEMENT));
  if (values !== undefined) array.set(values);
  return array;
}
