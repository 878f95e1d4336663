// Embeddings over HTTP against peers with the same weights: one, eight and many clients, texts of mixed and of equal lengths; what others
// notice of inputs that are made to hurt; and memory.
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { ENCODER, convertedData } from '../../served.ts';
import { type BenchContext, alternate, withServer } from '../context.ts';
import { prepareEncoder } from '../encode-files.ts';
import { type EncodePeer, findEncodePeers } from '../encode-peers.ts';
import { type Figure, type FigureSpec, Figures, type Side } from '../figure.ts';
import { embedAll, embedVocabulary, longestWaitBeside, piecesOf, type EmbedResult } from '../load/embed.ts';
import { childrenPssBytes, childrenWeightBytes, treePssBytes } from '../machine.ts';
import { type RunningServer, type Shape, type Target, llamaTarget, millraceTarget } from '../servers.ts';
import { median, percentile } from '../statistics.ts';

/** A manual's prose, read from an installed package. */
const TEXT = fileURLToPath(new URL('../../../node_modules/fastify/docs/Reference/Plugins.md', import.meta.url));
/** A model of a few kilobytes: what its server takes is all that does not belong to a model. */
const TINY = fileURLToPath(new URL('../../fixtures/encoders/bert', import.meta.url));
/** Words of a text: some 8 to 200 tokens. */
const MIXED = { leastWords: 4, mostWords: 90 } as const;
const EQUAL = { leastWords: 26, mostWords: 26 } as const;
const MANY_CLIENTS = 64;
const TOKENS_PER_TEXT = 256;
/** Clients, or texts of a batch, and how many texts are sent. */
const LOADS = [
  [1, 48],
  [8, 128],
  [MANY_CLIENTS, 256],
] as const;
const RUNNER_MEMORY = 'memory of the model’s process, every token seen';
const WEIGHT_MEMORY = 'mapped weights and C heap of the model’s process, every token seen';
/** Ids of all-MiniLM-L6-v2's tokenizer. Until all were used, the untouched pages of float32's mapped token table count as nothing. */
const VOCABULARY = 30_522;

const SHARE = { unit: '', better: 'lower' } as const;

interface Pair {
  readonly name: string;
  readonly ours: Target;
  readonly llama: Target | null;
  /** Throughput at many clients over the peer's. */
  readonly goal: number;
}

export async function encodePart(context: BenchContext): Promise<readonly Figure[]> {
  const files = await prepareEncoder(context.peer, (line) => context.log(line));
  const peers = await findEncodePeers(context.peer !== null && !context.smoke, (line) => context.log(line));
  const text = await readFile(TEXT, 'utf8');
  const shape: Shape = { ...context.shape, slots: 8, contextPerSlot: TOKENS_PER_TEXT };
  const ours = (variant: string): Target => millraceTarget(files.dataDir, `${ENCODER}:${variant}`, shape);
  const theirs = (form: 'f32' | 'q8'): Target | null =>
    context.peer === null || files.peer === null ? null : llamaTarget(context.peer, files.peer[form], shape, ['--embeddings']);
  const float32 = await comparePair(
    context,
    { name: 'encode, float32', ours: ours('fp32'), llama: theirs('f32'), goal: 1.25 },
    peers,
    text,
  );
  const int8 = await comparePair(context, { name: 'encode, 8 bits', ours: ours('int8'), llama: theirs('q8'), goal: 2.3 }, peers, text);
  return [...float32, ...int8, ...(await compareMemory(context, { float32, int8, shape }))];
}

/** Ours against each peer, all measured in turn on the same texts. */
async function comparePair(context: BenchContext, pair: Pair, peers: readonly EncodePeer[], text: string): Promise<readonly Figure[]> {
  const withLlama = new Figures(`${pair.name} (peer llama-server)`);
  const withPeers = peers.map((peer) => ({ peer, figures: new Figures(`${pair.name} (peer ${peer.name})`) }));
  const sides: readonly Side[] = pair.llama === null && peers.length === 0 ? ['ours'] : ['ours', 'peer'];
  await alternate(context, sides, async (side, round) => {
    const target = side === 'ours' ? pair.ours : pair.llama;
    if (target !== null) {
      const values = await withServer(target, (server) =>
        measure(context, { server, text, round, goal: pair.goal, isOurs: side === 'ours' }),
      );
      for (const [value, spec] of values) withLlama.add(side, value, spec);
      if (side === 'ours')
        for (const { figures } of withPeers) for (const [value, spec] of values.filter(isRate)) figures.add(side, value, spec);
    }
    if (side === 'peer')
      for (const { peer, figures } of withPeers) await measurePeer(context, { peer, figures, text, round, goal: pair.goal });
  });
  return [withLlama, ...withPeers.map(({ figures }) => figures)].flatMap((figures) => figures.list());
}

type Value = readonly [value: number, spec: FigureSpec];
const isRate = ([, { unit }]: Value): boolean => unit === 'texts/s';

function textsOf(
  context: BenchContext,
  text: string,
  load: { clients: number; count: number; round: number; words: typeof MIXED | typeof EQUAL },
) {
  const { clients, count, round, words } = load;
  return piecesOf(text, { ...words, count: context.smoke ? clients : count, seed: round * 10 + clients });
}

interface Round {
  readonly server: RunningServer;
  readonly text: string;
  readonly round: number;
  readonly goal: number;
  readonly isOurs: boolean;
}

async function measure(context: BenchContext, { server, text, round, goal, isOurs }: Round): Promise<readonly Value[]> {
  const run = (clients: number, count: number, words: typeof MIXED | typeof EQUAL): Promise<EmbedResult> =>
    embedAll({ port: server.port, model: server.model, texts: textsOf(context, text, { clients, count, round, words }), clients });
  await run(1, 4, MIXED);
  const values: Value[] = [];
  const addMemory = (bytes: number | null, name: string): void => {
    if (bytes !== null) values.push([bytes / 2 ** 20, { name, unit: 'MiB', better: 'lower' }]);
  };
  addMemory(await treePssBytes(server.pid), 'memory after load');
  if (isOurs) {
    await embedVocabulary({ port: server.port, model: server.model, vocabSize: VOCABULARY });
    addMemory(await childrenPssBytes(server.pid), RUNNER_MEMORY);
    addMemory(await childrenWeightBytes(server.pid), WEIGHT_MEMORY);
  }
  let failed = 0;
  let mixedRate = 0;
  for (const [clients, count] of LOADS) {
    const result = await run(clients, count, MIXED);
    values.push(...valuesOf(clients, result, goal));
    failed += result.failed;
    mixedRate = result.tokensPerSecond;
  }
  const equal = await run(MANY_CLIENTS, 256, EQUAL);
  const cost = { name: 'cost of mixed lengths, over equal ones', unit: '', better: 'lower', valueGoal: 1.15 } as const;
  values.push([equal.tokensPerSecond / mixedRate, cost]);
  values.push([failed + equal.failed, { name: 'failed requests', unit: 'requests', better: 'lower', valueGoal: 0 }]);
  if (isOurs) values.push(...(await waitsOfOthers(server)));
  return values;
}

/** Inputs that take long to be refused or answered. */
const HOSTILE = [
  ['10 MB of words', 'river stone '.repeat(850_000)],
  ['ten million spaces', ' '.repeat(10_000_000)],
  ['a million A', 'A'.repeat(1_000_000)],
] as const;

/** How long one input takes, and the longest that a short text of somebody else takes meanwhile. */
async function waitsOfOthers(server: RunningServer): Promise<readonly Value[]> {
  const values: Value[] = [];
  for (const [name, input] of HOSTILE) {
    const { tookMs, longestMs } = await longestWaitBeside({ port: server.port, model: server.model, input });
    values.push([tookMs, { name: `${name}: until it is answered or refused`, unit: 'ms', better: 'lower', valueGoal: 1000 }]);
    values.push([longestMs, { name: `${name}: longest answer to others`, unit: 'ms', better: 'lower', valueGoal: 100 }]);
  }
  return values;
}

function valuesOf(clients: number, result: EmbedResult, goal: number): readonly Value[] {
  const load = `${clients} client${clients === 1 ? '' : 's'}`;
  return [
    [result.textsPerSecond, rateSpec(clients, goal)],
    [percentile(result.latenciesMs, 50), { name: `${load}: p50`, unit: 'ms', better: 'lower' }],
    [percentile(result.latenciesMs, 99), { name: `${load}: p99`, unit: 'ms', better: 'lower' }],
  ];
}

function rateSpec(clients: number, goal: number): FigureSpec {
  const ratioGoal = clients === 1 ? 2 : clients === MANY_CLIENTS ? goal : null;
  const name = `${clients} client${clients === 1 ? '' : 's'}, or texts of a batch`;
  return { name, unit: 'texts/s', better: 'higher', ...(ratioGoal === null ? {} : { ratioGoal }) };
}

interface PeerRound {
  readonly peer: EncodePeer;
  readonly figures: Figures;
  readonly text: string;
  readonly round: number;
  readonly goal: number;
}

async function measurePeer(context: BenchContext, { peer, figures, text, round, goal }: PeerRound): Promise<void> {
  const loads = LOADS.map(([clients, count]) => ({
    batch: clients,
    texts: textsOf(context, text, { clients, count, round, words: MIXED }),
  }));
  context.log(`round ${round + 1}/${context.reps}: ${peer.name}`);
  const { textsPerSecond } = await peer.encode(context.shape.threads, loads);
  LOADS.forEach(([clients], at) => figures.add('peer', textsPerSecond[at] ?? Number.NaN, rateSpec(clients, goal)));
}

interface Measured {
  readonly float32: readonly Figure[];
  readonly int8: readonly Figure[];
  readonly shape: Shape;
}

/** What the model itself takes in 8 bits over what it takes in float32: the process of a model of nothing is subtracted. */
async function compareMemory(context: BenchContext, { float32, int8, shape }: Measured): Promise<readonly Figure[]> {
  const figures = new Figures('encode');
  const dataDir = await convertedData([{ file: TINY, name: 'tiny', precision: 'fp32' }]);
  for (let round = 0; round < context.reps; round++) {
    const empty = await withServer(millraceTarget(dataDir, 'tiny', shape), async (server) => {
      await embedAll({ port: server.port, model: server.model, texts: ['river'], clients: 1 });
      return {
        process: (await childrenPssBytes(server.pid)) ?? Number.NaN,
        weights: (await childrenWeightBytes(server.pid)) ?? Number.NaN,
      };
    });
    const share = (name: string, emptyBytes: number): number => {
      const [wide, narrow] = [float32, int8].map((list) => median(list.find((figure) => figure.name === name)?.ours ?? []));
      return ((narrow ?? Number.NaN) - emptyBytes / 2 ** 20) / ((wide ?? Number.NaN) - emptyBytes / 2 ** 20);
    };
    figures.add('ours', empty.process / 2 ** 20, {
      name: 'memory of the process of a model of a few kilobytes',
      unit: 'MiB',
      better: 'lower',
    });
    figures.add('ours', share(WEIGHT_MEMORY, empty.weights), {
      ...SHARE,
      name: 'weights and packed copies, 8 bits over float32',
      valueGoal: 0.35,
    });
    figures.add('ours', share(RUNNER_MEMORY, empty.process), {
      ...SHARE,
      name: 'the whole process, 8 bits over float32, the empty one subtracted',
    });
  }
  return figures.list();
}
