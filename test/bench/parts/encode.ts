// Embeddings over HTTP against llama-server with the same weights: one, eight and many clients, texts of mixed and of equal lengths.
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { ENCODER } from '../../served.ts';
import { type BenchContext, alternate, withServer } from '../context.ts';
import { prepareEncoder } from '../encode-files.ts';
import { type Figure, type FigureSpec, Figures, type Side } from '../figure.ts';
import { embedAll, piecesOf, type EmbedResult } from '../load/embed.ts';
import { treePssBytes } from '../machine.ts';
import { type RunningServer, type Shape, type Target, llamaTarget, millraceTarget } from '../servers.ts';
import { percentile } from '../statistics.ts';

/** A manual's prose, read from an installed package. */
const TEXT = fileURLToPath(new URL('../../../node_modules/fastify/docs/Reference/Plugins.md', import.meta.url));
/** Words of a text: some 8 to 200 tokens. */
const MIXED = { leastWords: 4, mostWords: 90 } as const;
const EQUAL = { leastWords: 26, mostWords: 26 } as const;
const MANY_CLIENTS = 64;
const TOKENS_PER_TEXT = 256;

interface Pair {
  readonly name: string;
  readonly ours: Target;
  readonly peer: Target | null;
  /** Throughput at many clients over the peer's. */
  readonly goal: number;
}

export async function encodePart(context: BenchContext): Promise<readonly Figure[]> {
  const files = await prepareEncoder(context.peer, (line) => context.log(line));
  const text = await readFile(TEXT, 'utf8');
  const shape: Shape = { ...context.shape, slots: 8, contextPerSlot: TOKENS_PER_TEXT };
  const ours = (variant: string): Target => millraceTarget(files.dataDir, `${ENCODER}:${variant}`, shape);
  const theirs = (form: 'f32' | 'q8'): Target | null =>
    context.peer === null || files.peer === null ? null : llamaTarget(context.peer, files.peer[form], shape, ['--embeddings']);
  const pairs: readonly Pair[] = [
    { name: 'encode, float32', ours: ours('fp32'), peer: theirs('f32'), goal: 1.25 },
    { name: 'encode, 8 bits (peer Q8_0)', ours: ours('int8'), peer: theirs('q8'), goal: 2.3 },
  ];
  const figures: Figure[] = [];
  for (const pair of pairs) figures.push(...(await comparePair(context, pair, text)));
  return figures;
}

async function comparePair(context: BenchContext, pair: Pair, text: string): Promise<readonly Figure[]> {
  const figures = new Figures(pair.name);
  const sides: readonly Side[] = pair.peer === null ? ['ours'] : ['ours', 'peer'];
  await alternate(context, sides, async (side, round) => {
    await withServer(side === 'ours' || pair.peer === null ? pair.ours : pair.peer, async (server) => {
      for (const [value, spec] of await measure(context, { server, text, round, goal: pair.goal })) figures.add(side, value, spec);
    });
  });
  return figures.list();
}

interface Round {
  readonly server: RunningServer;
  readonly text: string;
  readonly round: number;
  readonly goal: number;
}

type Value = readonly [value: number, spec: FigureSpec];

async function measure(context: BenchContext, { server, text, round, goal }: Round): Promise<readonly Value[]> {
  const run = (clients: number, count: number, words: typeof MIXED | typeof EQUAL): Promise<EmbedResult> => {
    const texts = piecesOf(text, { ...words, count: context.smoke ? clients : count, seed: round * 10 + clients });
    return embedAll({ port: server.port, model: server.model, texts, clients });
  };
  await run(1, 4, MIXED);
  const memory = await treePssBytes(server.pid);
  const one = await run(1, 48, MIXED);
  const few = await run(8, 128, MIXED);
  const many = await run(MANY_CLIENTS, 256, MIXED);
  const equal = await run(MANY_CLIENTS, 256, EQUAL);
  return [
    ...(memory === null ? [] : [[memory / 2 ** 20, { name: 'memory after load', unit: 'MiB', better: 'lower' }] as const]),
    ...valuesOf('1 client', one, 2),
    ...valuesOf('8 clients', few, null),
    ...valuesOf(`${MANY_CLIENTS} clients`, many, goal),
    [
      equal.tokensPerSecond / many.tokensPerSecond,
      { name: 'cost of mixed lengths, over equal ones', unit: '', better: 'lower', valueGoal: 1.15 },
    ],
    [one.failed + few.failed + many.failed + equal.failed, { name: 'failed requests', unit: 'requests', better: 'lower', valueGoal: 0 }],
  ];
}

function valuesOf(load: string, result: EmbedResult, ratioGoal: number | null): readonly Value[] {
  return [
    [result.textsPerSecond, { name: `${load}: texts`, unit: '/s', better: 'higher', ...(ratioGoal === null ? {} : { ratioGoal }) }],
    [percentile(result.latenciesMs, 50), { name: `${load}: p50`, unit: 'ms', better: 'lower' }],
    [percentile(result.latenciesMs, 99), { name: `${load}: p99`, unit: 'ms', better: 'lower' }],
  ];
}
