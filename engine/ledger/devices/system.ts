// Reads what macOS and Windows tell only through systeminformation. Owns the thread that asks; a question that hangs ends it.
import { Worker } from 'node:worker_threads';
import type { CpuFacts, DeviceSource, GpuFacts } from './facts.ts';

export type SystemQuestion = 'memory' | 'temperature' | 'adapters' | 'mains';
export type SystemAnswer = { readonly kind: 'answer'; readonly value: unknown } | { readonly kind: 'failed'; readonly message: string };

/** A graphics adapter as systeminformation lists it. */
export interface Adapter {
  readonly vendor: string;
  readonly model: string;
  readonly vramMiB: number | null;
}

/** Drawn by software, or by NVIDIA, whose own tool knows more. */
const NOT_COUNTED = /nvidia|microsoft|virtual|remote|parsec|citrix|vmware|displaylink|hyper-v/i;

/** Adapters that could run a model. Windows tells neither their use nor their power here. */
export function adapterFacts(adapters: readonly Adapter[]): readonly GpuFacts[] | null {
  const real = adapters.filter(({ vendor, model }) => !NOT_COUNTED.test(`${vendor} ${model}`));
  if (real.length === 0) return null;
  return real.map(({ model, vramMiB }) => ({
    name: model,
    origin: 'the system',
    utilisation: null,
    memoryUsedBytes: null,
    memoryTotalBytes: vramMiB === null || vramMiB <= 0 ? null : vramMiB * 2 ** 20,
    powerWatts: null,
    temperatureCelsius: null,
    integrated: false,
  }));
}

export class SystemThread {
  #worker: Worker | null = null;
  #turn: Promise<unknown> = Promise.resolve();

  /** One question after the other. Rejects when the thread cannot answer or `signal` ends it. */
  ask(question: SystemQuestion, signal: AbortSignal): Promise<unknown> {
    const answer = this.#turn.then(() => this.#ask(question, signal));
    this.#turn = answer.catch(() => undefined);
    return answer;
  }

  close(): void {
    void this.#worker?.terminate();
    this.#worker = null;
  }

  #ask(question: SystemQuestion, signal: AbortSignal): Promise<unknown> {
    signal.throwIfAborted();
    const worker = (this.#worker ??= this.#start());
    return new Promise((resolve, reject) => {
      const onMessage = (message: SystemAnswer): void => {
        finish(() => (message.kind === 'answer' ? resolve(message.value) : reject(new Error(message.message))));
      };
      const onGone = (): void => finish(() => reject(new Error('The thread that reads the system ended.')));
      const onError = (error: unknown): void => finish(() => reject(error instanceof Error ? error : new Error(String(error))));
      const onAbort = (): void => this.close();
      const finish = (settle: () => void): void => {
        worker.off('message', onMessage).off('exit', onGone).off('error', onError);
        signal.removeEventListener('abort', onAbort);
        settle();
      };
      worker.on('message', onMessage).on('exit', onGone).on('error', onError);
      signal.addEventListener('abort', onAbort, { once: true });
      worker.postMessage(question);
    });
  }

  #start(): Worker {
    const worker = new Worker(new URL('system-worker.ts', import.meta.url));
    worker.unref();
    // Without a listener it would end this process; the question under way hears of it.
    worker.on('error', () => undefined);
    worker.on('exit', () => {
      if (this.#worker === worker) this.#worker = null;
    });
    return worker;
  }
}

/** Sources that share one thread; the last to be closed may be any of them. */
export function systemSources(thread: SystemThread): {
  readonly memory: DeviceSource<CpuFacts>;
  readonly temperature: DeviceSource<CpuFacts>;
  readonly adapters: DeviceSource<readonly GpuFacts[]>;
} {
  const close = (): void => thread.close();
  return {
    memory: {
      name: 'memory',
      periodMs: 2_000,
      timeoutMs: 5_000,
      close,
      read: async (signal) => (await thread.ask('memory', signal)) as CpuFacts,
    },
    temperature: {
      name: 'temperature',
      periodMs: 10_000,
      timeoutMs: 10_000,
      close,
      read: async (signal) => ({
        ...((await thread.ask('temperature', signal)) as CpuFacts),
        temperatureBasis: 'the system’s thermal sensor',
      }),
    },
    adapters: {
      name: 'adapters',
      periodMs: 300_000,
      timeoutMs: 30_000,
      close,
      read: async (signal) => adapterFacts((await thread.ask('adapters', signal)) as readonly Adapter[]),
    },
  };
}
