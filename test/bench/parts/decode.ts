// Steps of a decoder without any server: ours in this process, the peer's by its own tools, on the same file and its requantised forms.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DecoderManifest } from '../../../engine/models/manifest.ts';
import { OrtDecoder } from '../../../engine/runner/ort-decoder.ts';
import { type BenchContext, alternate } from '../context.ts';
import { type Figure, type FigureSpec, Figures, type Side } from '../figure.ts';
import type { Peer } from '../peer.ts';
import { median } from '../statistics.ts';

interface Workload {
  /** Sequences that decode together. */
  readonly batches: readonly number[];
  /** Tokens each sequence holds before the first measured step; also the lengths of the prefilled prompts. */
  readonly lengths: readonly number[];
  readonly steps: number;
}

const FULL: Workload = { batches: [1, 4, 8, 16], lengths: [128, 512], steps: 32 };
const SMOKE: Workload = { batches: [1, 2], lengths: [16], steps: 4 };

/** Tokens per second by what was measured: `decode 8 at 128`, `prefill 512`. */
type Speeds = ReadonlyMap<string, number>;

interface Pair {
  readonly part: string;
  /** Name of our model, and its variant where it is not the default. */
  readonly ours: string;
  readonly variant?: string;
  /** The peer's GGUF. */
  readonly gguf: string | null;
  /** Ratio demanded at each batch size, and for prefill. */
  readonly goals: Readonly<Record<number, number>>;
  readonly prefillGoal: number | undefined;
}

/** Each pair is alternated on its own, so that the two sides of a ratio are measured within a minute of each other. */
export async function decodePart(context: BenchContext): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  for (const pair of choosePairs(context)) {
    const collected = new Figures(pair.part);
    await alternate(context, context.peer === null ? ['ours'] : ['ours', 'peer'], async (side) => {
      const speeds = await measure(context, side, pair);
      for (const [name, value] of speeds) collected.add(side, value, specOf(name, pair));
    });
    figures.push(...collected.list());
  }
  return figures;
}

function choosePairs({ files }: BenchContext): readonly Pair[] {
  const { exactModel, int8Model, source, q8, q4 } = files;
  return [
    { part: 'same weights (as shipped)', ours: exactModel, gguf: source, goals: { 1: 1.1, 4: 1.6, 8: 1.9, 16: 2.2 }, prefillGoal: 2.5 },
    { part: 'INT8, peer Q8_0', ours: int8Model, gguf: q8, goals: { 1: 1.2, 4: 1.9, 8: 2.1, 16: 2.2 }, prefillGoal: 2.5 },
    { part: 'INT8 with 8-bit KV cache, peer Q8_0', ours: int8Model, variant: 'int8-kv8', gguf: q8, goals: {}, prefillGoal: undefined },
    { part: 'INT8, peer Q4_0', ours: int8Model, gguf: q4, goals: { 1: 1, 8: 1.6, 16: 1.5 }, prefillGoal: 2 },
  ];
}

function specOf(name: string, pair: Pair): FigureSpec {
  const batch = Number(/^decode (\d+)/.exec(name)?.[1] ?? 0);
  const ratioGoal = batch === 0 ? pair.prefillGoal : pair.goals[batch];
  return { name, unit: 'tok/s', better: 'higher', ...(ratioGoal === undefined ? {} : { ratioGoal }) };
}

async function measure(context: BenchContext, side: Side, pair: Pair): Promise<Speeds> {
  const workload = context.smoke ? SMOKE : FULL;
  if (side === 'ours') return measureOurs(context, pair, workload);
  return context.peer === null || pair.gguf === null ? new Map() : measurePeer(context, context.peer, pair.gguf, workload);
}

async function measureOurs(context: BenchContext, pair: Pair, workload: Workload): Promise<Speeds> {
  const folder = join(context.files.dataDir, 'models', pair.ours);
  const manifest = JSON.parse(await readFile(join(folder, 'model.json'), 'utf8')) as DecoderManifest;
  const name = pair.variant ?? manifest.defaultVariant;
  const variant = manifest.variants[name];
  if (variant === undefined) throw new Error(`${pair.ours} has no variant ${name}.`);
  const decoder = new OrtDecoder({
    graphFile: join(folder, variant.graphFile),
    config: manifest.config,
    kvType: variant.kvType,
    threads: context.shape.threads,
    slotCount: Math.max(...workload.batches),
    capacity: Math.max(...workload.lengths) + workload.steps + 8,
  });
  try {
    const speeds = new Map<string, number>();
    for (const length of workload.lengths) {
      speeds.set(`prefill ${length}`, await prefillSpeed(decoder, length));
      // Every slot gets a filled cache: memory that was never written is one page of zeros, faster to read than any real one.
      for (let slot = 1; slot < decoder.slotCount; slot++) decoder.copyRows(0, slot, length);
      for (const batch of workload.batches)
        speeds.set(`decode ${batch} at ${length}`, await decodeSpeed(decoder, { batch, length, steps: workload.steps }));
    }
    return speeds;
  } finally {
    decoder.dispose();
  }
}

/** Tokens per second of the median of three prompts; the first, uncounted, run warms up. */
async function prefillSpeed(decoder: OrtDecoder, length: number): Promise<number> {
  const request = {
    firstSlot: 0,
    tokens: Int32Array.from({ length }, (_, i) => someToken(i, decoder.vocabSize)),
    pastLengths: new Int32Array(1),
    rows: Int32Array.of(length - 1),
    inverseTemperatures: Float32Array.of(1),
  };
  const samples = [];
  for (let run = 0; run < 4; run++) samples.push(await elapsedMs(() => decoder.step(request)));
  return (length / median(samples.slice(1))) * 1000;
}

/** Tokens per second of the median step, each one token further; the first three, uncounted, warm up. */
async function decodeSpeed(decoder: OrtDecoder, shape: { batch: number; length: number; steps: number }): Promise<number> {
  const { batch, length, steps } = shape;
  const samples = [];
  for (let step = 0; step < steps + 3; step++) {
    const request = {
      firstSlot: 0,
      tokens: Int32Array.from({ length: batch }, (_, i) => someToken(step * batch + i, decoder.vocabSize)),
      pastLengths: new Int32Array(batch).fill(length + step),
      rows: Int32Array.from({ length: batch }, (_, i) => i),
      inverseTemperatures: new Float32Array(batch).fill(1),
    };
    samples.push(await elapsedMs(() => decoder.step(request)));
  }
  return (batch / median(samples.slice(3))) * 1000;
}

const someToken = (i: number, vocabSize: number): number => (i * 7919 + 1000) % vocabSize;

async function elapsedMs(work: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now();
  await work();
  return performance.now() - startedMs;
}

async function measurePeer(context: BenchContext, peer: Peer, gguf: string, workload: Workload): Promise<Speeds> {
  const threads = ['-m', gguf, '-t', String(context.shape.threads)];
  const speeds = new Map<string, number>();
  for (const [length, speed] of await peerPrefill(peer, [
    ...threads,
    '-p',
    workload.lengths.join(','),
    '-n',
    '0',
    '-r',
    '3',
    '-o',
    'json',
  ])) {
    speeds.set(`prefill ${length}`, speed);
  }
  for (const length of workload.lengths) {
    const capacity = Math.max(...workload.batches) * (length + workload.steps);
    const sizes = ['-c', capacity, '-b', 2048, '-ub', 512, '-npp', length, '-ntg', workload.steps].map(String);
    const { stdout } = await peer.run('llama-batched-bench', [
      ...threads,
      ...sizes,
      '-npl',
      workload.batches.join(','),
      '--output-format',
      'jsonl',
    ]);
    for (const line of stdout.split('\n').filter((text) => text.startsWith('{'))) {
      const { pl, speed_tg: speed } = JSON.parse(line) as { pl: number; speed_tg: number };
      speeds.set(`decode ${pl} at ${length}`, speed);
    }
  }
  return speeds;
}

async function peerPrefill(peer: Peer, args: readonly string[]): Promise<readonly (readonly [length: number, speed: number])[]> {
  const { stdout } = await peer.run('llama-bench', args);
  const rows = JSON.parse(stdout) as readonly { n_prompt: number; samples_ts: readonly number[] }[];
  return rows.map((row) => [row.n_prompt, median(row.samples_ts)]);
}
