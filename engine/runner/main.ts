// The runner process: one model, loaded on the first message, then requests until the parent drains it or goes away.
import { enableCompileCache } from 'node:module';
import { toWireError } from '../errors.ts';
import { keepHeapSmall } from '../heap.ts';
import { openParentPort, type ParentPort } from './parent-port.ts';
import type { FromRunner, RunnerInfo, RunnerOptions, ToRunner } from './protocol.ts';
import type { ModelToLoad } from './read-model.ts';

/** A model of any kind at work. */
interface LoadedRunner {
  handle(message: Exclude<ToRunner, { kind: 'load' }>): void;
  dispose(): void;
}

type LoadedInfo = Pick<RunnerInfo, 'contextLength' | 'maxSlots' | 'encoder'>;

interface Loaded {
  readonly runner: LoadedRunner;
  readonly info: LoadedInfo;
}

interface RunnerPort {
  send(message: FromRunner): void;
  drained(): void;
}

async function load(port: ParentPort, options: RunnerOptions): Promise<LoadedRunner> {
  const startedMs = performance.now();
  // All of the model's modules are loaded only now, so that the compile cache serves them.
  const { readModel } = await import('./read-model.ts');
  const model = await readModel(options);
  const runnerPort: RunnerPort = {
    send: (message) => port.send(message),
    drained: () => {
      runner.dispose();
      process.exit(0);
    },
  };
  const { runner, info } = await start(options, model, runnerPort);
  keepHeapSmall();
  port.send({ kind: 'ready', info: { ...describe(model), ...info, loadMs: performance.now() - startedMs } });
  return runner;
}

function start(options: RunnerOptions, model: ModelToLoad, port: RunnerPort): Promise<Loaded> {
  switch (model.kind) {
    case 'infer':
      return startInfer(options, model, port);
    case 'encoder':
      return startEncoder(options, model, port);
    case 'decoder':
      return startDecoder(options, model, port);
  }
}

async function startInfer(options: RunnerOptions, model: Extract<ModelToLoad, { kind: 'infer' }>, port: RunnerPort): Promise<Loaded> {
  const { loadInfer } = await import('./infer/load-infer.ts');
  const { runner, maxRows } = loadInfer(options, model, port);
  return { runner, info: { contextLength: 0, maxSlots: maxRows } };
}

async function startDecoder(options: RunnerOptions, model: Extract<ModelToLoad, { kind: 'decoder' }>, port: RunnerPort): Promise<Loaded> {
  const [{ loadModel }, { Runner }] = await Promise.all([import('./load-model.ts'), import('./runner.ts')]);
  const loaded = await loadModel(options, model);
  const { contextLength, slotCount } = loaded.capacity;
  return { runner: new Runner(loaded, options, port), info: { contextLength, maxSlots: slotCount } };
}

async function startEncoder(options: RunnerOptions, model: Extract<ModelToLoad, { kind: 'encoder' }>, port: RunnerPort): Promise<Loaded> {
  const { loadEncoder } = await import('./encoder/load-encoder.ts');
  const { runner, info, maxTokens, maxBatchSize } = await loadEncoder(options, model, port);
  return { runner, info: { contextLength: maxTokens, maxSlots: maxBatchSize, encoder: info } };
}

function describe({ manifest, variant }: ModelToLoad): Omit<RunnerInfo, keyof LoadedInfo | 'loadMs'> {
  return {
    pid: process.pid,
    modelId: manifest.id,
    variant: variant.name,
    precision: variant.precision,
    device: 'cpu',
    vocabSize: manifest.kind === 'infer' ? 0 : manifest.config.vocabSize,
  };
}

/** What nearly every load needs, fetched while the parent still reads what to load: a decoder's modules and the native library. */
async function prepare(): Promise<void> {
  await Promise.all([import('./read-model.ts'), import('./load-model.ts'), import('./runner.ts')]);
  const { onnxRuntime } = await import('../ort/index.ts');
  onnxRuntime();
}

function main(): void {
  enableCompileCache();
  const port = openParentPort();
  // A fault shows again when the model is loaded.
  prepare().catch(() => undefined);
  let loading: Promise<LoadedRunner | null> | null = null;
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
