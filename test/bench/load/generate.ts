// The interface to the load generator: one process, any number of runs one after the other.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { LoadResult } from './main.ts';
import type { LoadPlan } from './plan.ts';

const MAIN = fileURLToPath(new URL('main.ts', import.meta.url));

export class LoadGenerator implements Disposable {
  readonly #child: ChildProcess;

  constructor() {
    this.#child = fork(MAIN, { serialization: 'advanced' });
  }

  /** Runs one plan; rejects when the generator ends early. One run at a time. */
  async run(plan: LoadPlan): Promise<LoadResult> {
    const gone = new AbortController();
    const exit = once(this.#child, 'exit', { signal: gone.signal }).then(() => Promise.reject(new Error('The load generator has ended.')));
    exit.catch(() => undefined);
    this.#child.send(plan);
    const [result] = (await Promise.race([once(this.#child, 'message'), exit])) as [LoadResult];
    gone.abort();
    return result;
  }

  [Symbol.dispose](): void {
    this.#child.kill();
  }
}
