// Owns how fast one graph is on this machine and what memory it takes, one request at a time.
// Knows nothing about accuracy or serving.
import type { VariantSpeed } from '../../contract.ts';
import { collectGarbage } from '../../heap.ts';
import type { DecoderConfig, EncoderConfig } from '../manifest.ts';
import { EncoderRun } from './encoder-run.ts';
import type { EvaluatedGraph } from './evaluate.ts';
import { PromptRun } from './prompt-run.ts';

interface DecoderSpeedRequest {
  readonly graph: EvaluatedGraph;
  readonly config: DecoderConfig;
  /** A prompt; what is longer than needed is left out. */
  readonly tokens: Int32Array;
  readonly threads: number;
}

const PROMPT_TOKENS = 512;
const PREFILL_CHUNK = 128;
const DECODE_STEPS = 48;
const ROUNDS = 3;
const ENCODED_TEXTS = 40;

/** Can be sent to another process. */
export type SpeedRequest = ({ readonly kind: 'decoder' } & DecoderSpeedRequest) | ({ readonly kind: 'encoder' } & EncoderSpeedRequest);

/** @throws OrtError when the graph does not load */
export function measureSpeed(request: SpeedRequest): Promise<VariantSpeed> {
  return request.kind === 'decoder' ? decoderSpeed(request) : encoderSpeed(request);
}

/** The best of three rounds: what disturbs a round only makes it slower. */
async function decoderSpeed({ graph, config, tokens, threads }: DecoderSpeedRequest): Promise<VariantSpeed> {
  const prompt = tokens.subarray(0, Math.min(PROMPT_TOKENS, Math.max(1, config.contextLength - DECODE_STEPS - 1)));
  const before = residentBytes();
  const startedMs = performance.now();
  using run = new PromptRun({ graphPath: graph.path, kvType: graph.kvType, config, capacity: prompt.length + DECODE_STEPS + 1, threads });
  const loadMs = performance.now() - startedMs;
  await prefill(run, prompt.subarray(0, PREFILL_CHUNK));
  const memoryBytes = Math.max(0, residentBytes() - before);
  let [prefillPerSecond, decodePerSecond] = [0, 0];
  for (let round = 0; round < ROUNDS; round++) {
    const read = await timed(() => prefill(run, prompt));
    const wrote = await timed(() => decode(run, read.result));
    prefillPerSecond = Math.max(prefillPerSecond, prompt.length / read.seconds);
    decodePerSecond = Math.max(decodePerSecond, DECODE_STEPS / wrote.seconds);
  }
  return { memoryBytes, loadMs, prefillPerSecond, decodePerSecond, textsPerSecond: null };
}

interface EncoderSpeedRequest {
  readonly graph: string;
  readonly config: EncoderConfig;
  readonly texts: readonly (readonly number[])[];
  readonly threads: number;
}

/** As `decoderSpeed`, one text after another. */
async function encoderSpeed({ graph, config, texts, threads }: EncoderSpeedRequest): Promise<VariantSpeed> {
  const before = residentBytes();
  const startedMs = performance.now();
  using run = new EncoderRun(graph, config, threads);
  const loadMs = performance.now() - startedMs;
  const some = texts.slice(0, ENCODED_TEXTS);
  const all = async (): Promise<void> => {
    for (const text of some) await run.embed(text);
  };
  await all();
  const memoryBytes = Math.max(0, residentBytes() - before);
  let textsPerSecond = 0;
  for (let round = 0; round < ROUNDS; round++) textsPerSecond = Math.max(textsPerSecond, some.length / (await timed(all)).seconds);
  return { memoryBytes, loadMs, prefillPerSecond: null, decodePerSecond: null, textsPerSecond };
}

/** Returns the first token of an answer. */
async function prefill(run: PromptRun, prompt: Int32Array): Promise<number> {
  run.reset();
  let next = 0;
  for (let from = 0; from < prompt.length; from += PREFILL_CHUNK) next = await run.read(prompt.subarray(from, from + PREFILL_CHUNK));
  return next;
}

async function decode(run: PromptRun, first: number): Promise<void> {
  let token = first;
  for (let step = 0; step < DECODE_STEPS; step++) token = await run.read(Int32Array.of(token));
}

async function timed<T>(work: () => Promise<T>): Promise<{ readonly result: T; readonly seconds: number }> {
  const startedMs = performance.now();
  const result = await work();
  return { result, seconds: (performance.now() - startedMs) / 1000 };
}

/** What earlier work let go must not hide what comes now. */
function residentBytes(): number {
  collectGarbage();
  return process.memoryUsage.rss();
}
