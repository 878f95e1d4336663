// Owns the options of runs: chiefly the flag that stops one in the middle.
import { NativeHandle } from './handle.ts';
import { onnxRuntime } from './library.ts';

/** Shared by any number of runs; `terminate` may be called while they are under way. */
export class RunOptions implements Disposable {
  readonly handle: NativeHandle;
  #terminating = false;

  constructor(configEntries: Readonly<Record<string, string>> = {}) {
    const { api, check, create } = onnxRuntime();
    const options = create<bigint>((out) => api.createRunOptions(out));
    this.handle = new NativeHandle('run options object', options, api.releaseRunOptions);
    try {
      for (const [key, value] of Object.entries(configEntries)) check(api.addRunConfigEntry(options, key, value));
    } catch (error) {
      this.dispose();
      throw error;
    }
  }

  get terminating(): boolean {
    return this.#terminating;
  }

  /** Runs under way with these options end before their next operator with `TERMINATED`, later ones at once. */
  terminate(): void {
    const { api, check } = onnxRuntime();
    check(api.runOptionsSetTerminate(this.handle.address));
    this.#terminating = true;
  }

  clearTerminate(): void {
    const { api, check } = onnxRuntime();
    check(api.runOptionsUnsetTerminate(this.handle.address));
    this.#terminating = false;
  }

  dispose(): void {
    this.handle.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}
