// Factories with named defaults: a data folder with installed models, a fleet over fake runner processes, a request's events.
import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Fleet, type FleetOptions } from '../../engine/fleet/fleet.ts';
import type { Generation } from '../../engine/fleet/host.ts';
import { forkRunner } from '../../engine/fleet/runner-process.ts';
import { createLog } from '../../engine/log.ts';
import type { DecoderManifest, ModelManifest } from '../../engine/models/manifest.ts';
import { ModelStore } from '../../engine/models/store/model-store.ts';
import { PLAIN_SAMPLING, type GenerateEvent, type GenerateParams } from '../../engine/runner/protocol.ts';

export const FAKE_RUNNER = join(import.meta.dirname, 'fake-runner.ts');

export function testManifest(id: string, changes: Partial<DecoderManifest> = {}): DecoderManifest {
  const variant = (name: string) =>
    ({
      name,
      precision: 'int8',
      graphVersion: 1,
      graphFile: `${name}/model.onnx`,
      weightsFile: `${name}/weights.bin`,
      sizeBytes: 1e6,
      bitsPerWeight: 8,
      method: 'none',
      kvType: 'f32',
    }) as const;
  return {
    formatVersion: 1,
    id,
    createdAt: '2026-01-01T00:00:00.000Z',
    source: { kind: 'file', reference: 'test', sha256: null },
    licence: null,
    parameterCount: 1000,
    config: {
      family: 'llama',
      hiddenSize: 8,
      layerCount: 2,
      headCount: 2,
      kvHeadCount: 1,
      headDim: 4,
      intermediateSize: 16,
      vocabSize: 256,
      contextLength: 4096,
      normEpsilon: 1e-5,
      tiedEmbeddings: true,
      activation: 'silu',
      rope: { theta: 10_000, dim: 4, scaling: null, localTheta: null },
      layers: [
        { window: 0, rope: true },
        { window: 0, rope: true },
      ],
      qkvBias: false,
      qkNorm: false,
      sandwichNorms: false,
      normWeightOffset: 0,
      embeddingScale: 1,
      attentionScale: 0.5,
      attentionSoftcap: 0,
      finalSoftcap: 0,
    },
    tokenizer: { file: 'tokenizer.json', vocabFile: 'vocab.bin', bosToken: null, eosTokens: [0], addBos: false, chatTemplate: null },
    variants: { int8: variant('int8'), fp32: variant('fp32') },
    defaultVariant: 'int8',
    ...changes,
  };
}

/** A new data folder with these models in it. */
export async function dataFolder(...ids: readonly string[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-fleet-'));
  for (const id of ids) await installManifest(folder, testManifest(id));
  return folder;
}

export async function installManifest(dataDir: string, manifest: ModelManifest): Promise<void> {
  const folder = join(dataDir, 'models', manifest.id);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'model.json'), JSON.stringify(manifest));
}

export interface TestFleet {
  readonly fleet: Fleet;
  readonly dataDir: string;
  /** Ends every process and removes the folder. */
  end(): Promise<void>;
}

export async function startFleet(ids: readonly string[], changes: Partial<FleetOptions> = {}): Promise<TestFleet> {
  const dataDir = await dataFolder(...ids);
  const fleet = new Fleet({
    store: new ModelStore(dataDir),
    spawn: forkRunner(FAKE_RUNNER),
    log: createLog('silent'),
    threads: 1,
    contextLength: null,
    slots: null,
    maxRequests: 64,
    speculation: false,
    availableMemoryBytes: () => 2 ** 32,
    ...changes,
  });
  await fleet.open();
  const end = async (): Promise<void> => {
    await fleet.close(0);
    await rm(dataDir, { recursive: true });
  };
  return { fleet, dataDir, end };
}

export function testParams(maxTokens: number): GenerateParams {
  return { sampling: PLAIN_SAMPLING, maxTokens, stop: [], topLogprobs: null, promptLogprobs: false, n: 1, ignoreEos: false };
}

export interface Recording extends Generation {
  readonly events: GenerateEvent[];
  /** The last event; awaits it. */
  readonly last: Promise<GenerateEvent>;
  /** Resolves at the first event that `wanted` accepts. */
  until(wanted: (event: GenerateEvent) => boolean): Promise<GenerateEvent>;
}

export function record(fleet: Fleet, model: string, maxTokens: number, mayRestart?: () => boolean): Recording {
  const events: GenerateEvent[] = [];
  const waiters: { wanted: (event: GenerateEvent) => boolean; resolve: (event: GenerateEvent) => void }[] = [];
  const until = (wanted: (event: GenerateEvent) => boolean): Promise<GenerateEvent> =>
    new Promise((resolve) => {
      const seen = events.find(wanted);
      if (seen === undefined) waiters.push({ wanted, resolve });
      else resolve(seen);
    });
  const request = {
    model,
    prompt: { kind: 'text', text: 'hello' } as const,
    params: testParams(maxTokens),
    ...(mayRestart && { mayRestart }),
  };
  const generation = fleet.generate(request, (event) => {
    events.push(event);
    for (const waiter of waiters) if (waiter.wanted(event)) waiter.resolve(event);
  });
  return {
    cancel: () => generation.cancel(),
    progress: () => generation.progress(),
    events,
    until,
    last: until((event) => event.kind === 'done' || event.kind === 'error'),
  };
}

/** Tokens of a finished answer, to see that none was lost or repeated. */
export function tokensOf(recording: Recording): readonly number[] {
  const lastStart = recording.events.findLastIndex((event) => event.kind === 'started');
  return recording.events.slice(lastStart).flatMap((event) => (event.kind === 'text' ? event.tokens : []));
}

/** The process of a ready model. */
export function pidOf(fleet: Fleet, model: string): number {
  const state = fleet.get(model)?.state;
  if (state?.kind !== 'ready') throw new Error(`${model} is ${state?.kind ?? 'not installed'}`);
  return state.info.pid;
}
