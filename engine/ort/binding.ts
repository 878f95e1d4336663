// Owns runs: fixed arrays of names and values, so that a run hands over eight words and copies nothing.
// Knows nothing about what the values mean.
import type { RunArguments, Status } from './c_api.ts';
import { onnxRuntime } from './library.ts';
import { OrtError } from './ort_error.ts';
import type { RunOptions } from './run_options.ts';
import type { OrtSession, TensorInfo } from './session.ts';
import { CStrings } from './strings.ts';
import { addressOf } from './system_memory.ts';
import type { OrtTensor } from './tensor.ts';

export interface BoundTensors {
  readonly inputs: Readonly<Record<string, OrtTensor>>;
  /** Outputs to compute, with the memory they are written to; outputs not named are not kept. */
  readonly outputs: Readonly<Record<string, OrtTensor>>;
}

/**
 * Inputs and outputs of a session, bound once and run any number of times. The same tensor may be an input and an output (a KV cache
 * updated in place). It does not own the tensors: dispose them yourself, at any time.
 */
export class RunBinding {
  readonly #session: OrtSession;
  readonly #inputs: BoundSide;
  readonly #outputs: BoundSide;
  #running = false;

  /** @throws OrtError `INVALID_ARGUMENT` for a name that the model does not have, or an input left out */
  constructor(session: OrtSession, tensors: BoundTensors) {
    this.#session = session;
    this.#inputs = new BoundSide('input', session.inputs, tensors.inputs);
    this.#outputs = new BoundSide('output', session.outputs, tensors.outputs);
    const missing = session.inputs.find((input) => !Object.hasOwn(tensors.inputs, input.name));
    if (missing !== undefined) throw new OrtError('INVALID_ARGUMENT', `The input ${missing.name} is not bound.`);
  }

  /** Binds another tensor to an input: one word changes. @throws OrtError `BUSY`, `DISPOSED`, `INVALID_ARGUMENT` */
  setInput(name: string, tensor: OrtTensor): void {
    this.#refuseWhileRunning();
    this.#inputs.set(name, tensor);
  }

  /** As `setInput`, for an output. */
  setOutput(name: string, tensor: OrtTensor): void {
    this.#refuseWhileRunning();
    this.#outputs.set(name, tensor);
  }

  /**
   * Runs the model on this thread. When it returns, the output tensors hold the results.
   * @throws OrtError `TERMINATED`, `DISPOSED`, `BUSY`, or ONNX Runtime's own code
   */
  run(options?: RunOptions): void {
    const end = this.#begin(options);
    try {
      this.#settle(onnxRuntime().api.run(...this.#arguments(options)), options);
    } finally {
      end();
    }
  }

  /**
   * Runs the model on another thread; the event loop stays free. Whatever takes part stays alive until then, even when it is disposed.
   * Input arrays must not be written meanwhile. Rejects as `run` throws.
   */
  async runAsync(options?: RunOptions): Promise<void> {
    const end = this.#begin(options);
    try {
      this.#settle(await this.#start(options), options);
    } finally {
      end();
    }
  }

  #start(options: RunOptions | undefined): Promise<Status> {
    return new Promise((resolve, reject) => {
      onnxRuntime().api.run.async(...this.#arguments(options), (error, status) => (error === null ? resolve(status) : reject(error)));
    });
  }

  #arguments(options: RunOptions | undefined): RunArguments {
    const [inputs, outputs] = [this.#inputs, this.#outputs];
    const optionsAddress = options === undefined ? null : options.handle.address;
    return [
      this.#session.handle.address,
      optionsAddress,
      inputs.names,
      inputs.values,
      inputs.count,
      outputs.names,
      outputs.count,
      outputs.values,
    ];
  }

  /** Retains all that takes part; the returned function lets go of it. */
  #begin(options: RunOptions | undefined): () => void {
    this.#refuseWhileRunning();
    const handles = [this.#session, ...(options === undefined ? [] : [options]), ...this.#inputs.tensors, ...this.#outputs.tensors].map(
      (part) => part.handle,
    );
    // All are read before the first is retained: a disposed one must not leave others retained.
    for (const handle of handles) void handle.address;
    for (const handle of handles) handle.retain();
    this.#running = true;
    return () => {
      this.#running = false;
      for (const handle of handles) handle.release();
    };
  }

  #settle(status: Status, options: RunOptions | undefined): void {
    try {
      onnxRuntime().check(status);
    } catch (error) {
      if (options?.terminating === true && error instanceof OrtError) throw new OrtError('TERMINATED', error.message);
      throw error;
    }
  }

  #refuseWhileRunning(): void {
    if (this.#running) throw new OrtError('BUSY', 'This binding is running.');
  }
}

/** The names and values of one side, as the C arrays that `Run` reads. */
class BoundSide {
  readonly tensors: OrtTensor[];
  readonly count: number;
  readonly #side: string;
  readonly #names: CStrings;
  readonly #values: BigUint64Array;
  readonly #places: ReadonlyMap<string, number>;

  constructor(side: string, known: readonly TensorInfo[], bound: Readonly<Record<string, OrtTensor>>) {
    const names = Object.keys(bound);
    const unknown = names.find((name) => !known.some((info) => info.name === name));
    if (unknown !== undefined) throw new OrtError('INVALID_ARGUMENT', `The model has no ${side} ${unknown}.`);
    this.#side = side;
    this.tensors = Object.values(bound);
    this.count = names.length;
    this.#names = new CStrings(names);
    this.#values = BigUint64Array.from(this.tensors, (tensor) => tensor.handle.address);
    this.#places = new Map(names.map((name, place) => [name, place]));
  }

  get names(): bigint {
    return this.#names.address;
  }

  get values(): bigint {
    return addressOf(this.#values);
  }

  set(name: string, tensor: OrtTensor): void {
    const place = this.#places.get(name);
    if (place === undefined) throw new OrtError('INVALID_ARGUMENT', `No ${this.#side} ${name} is bound.`);
    this.#values[place] = tensor.handle.address;
    this.tensors[place] = tensor;
  }
}
