// The runner process: one model, loaded on the first message, then requests until the parent drains it or goes away.
import { enableCompileCache } from 'node:module';
import { toWireError } from '../errors.ts';
import { openParentPort, type ParentPort } from './parent-port.ts';
import type { RunnerInfo, RunnerOptions } from './protocol.ts';
import type { LoadedModel } from './load-model.ts';
import type { Runner } from './runner.ts';

function describe({ manifest, variant, capacity }: LoadedModel, startedMs: number): RunnerInfo {
  return {
    pid: process.pid,
    modelId: manifest.id,
    variant: variant.name,
    precision: variant.precision,
    device: 'cpu',
    contextLength: capacity.contextLength,
    maxSlots: capacity.slotCount,
    vocabSize: manifest.config.vocabSize,
    loadMs: performance.now() - startedMs,
  };
}

async function load(port: ParentPort, options: RunnerOptions): Promise<Runner> {
  const startedMs = performance.now();
  // Loaded only now, so that the compile cache serves them.
  const [{ loadModel }, { Runner }] = await Promise.all([import('./load-model.ts'), import('./runner.ts')]);
  const model = await loadModel(options);
  const runner: Runner = new Runner(model, options, {
    send: (message) => port.send(message),
    drained: () => {
      runner.dispose();
      process.exit(0);
    },
  });
  port.send({ kind: 'ready', info: describe(model, startedMs) });
  return runner;
}

function main(): void {
  enableCompileCache();
  const port = openParentPort();
  let loading: Promise<Runner | null> | null = null;
  port.onMessage((message) => {
    if (message.kind !== 'load') return void loading?.then((runner) => runner?.handle(message));
    loading = load(port, message.options).catch((error: unknown) => {
      port.send({ kind: 'loadFailed', error: toWireError(error) });
      return null;
    });
  });
  // Nobody is left to answer, and a native run may be under way that would outlive an orderly exit.
  port.onClose(() => process.kill(process.pid, 'SIGKILL'));
  // A signal to the process group is the parent's to handle: it drains its runners.
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => undefined);
}

main();
