// Answers from the response caches over HTTP: how long one takes, and how many one core gives; and the search of the semantic cache.
import { rm } from 'node:fs/promises';
import { QuestionIndex } from '../../../engine/routing/cache/question-index.ts';
import { convertedEncoder, ENCODER, ownDataDir } from '../../served.ts';
import { type BenchContext, withServer } from '../context.ts';
import { type Figure, Figures } from '../figure.ts';
import { type KeepAliveResult, sendKeptAlive } from '../load/keep-alive.ts';
import { seededRandom } from '../load/plan.ts';
import { cpuSeconds } from '../machine.ts';
import { millraceTarget, type RunningServer, type Target } from '../servers.ts';
import { percentile } from '../statistics.ts';

const HIT = 'x-millrace-cache: hit';
/** Different requests, asked in turn. */
const DIFFERENT = 64;
const CROWD = 8;
const P99_GOAL_MS = 2;
const HITS_GOAL = 5000;

interface Load {
  readonly name: string;
  readonly path: string;
  readonly bodies: readonly string[];
}

export async function cachePart(context: BenchContext): Promise<readonly Figure[]> {
  const figures = new Figures('cache');
  await withCaches(context, await convertedEncoder(), ENCODER, (server) =>
    measureAll(context, figures, server, embeddingLoads(server.model)),
  );
  const { dataDir, int8Model } = context.files;
  await withCaches(context, dataDir, int8Model, (server) => measureAll(context, figures, server, [chatLoad(server.model, context.smoke)]));
  for (let round = 0; round < context.reps; round++) {
    const name = 'semantic: search among 10,000 questions, p99';
    figures.add('ours', searchP99Ms(context.smoke ? 20 : 200), { name, unit: 'ms', better: 'lower' });
  }
  return figures.list();
}

/** A server with caches on, in a data folder of its own. */
async function withCaches(
  context: BenchContext,
  from: string,
  model: string,
  use: (server: RunningServer) => Promise<void>,
): Promise<void> {
  const dataDir = await ownDataDir(from);
  const target: Target = millraceTarget(dataDir, model, context.shape, { caches: true });
  try {
    await withServer(target, use);
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
}

function embeddingLoads(model: string): readonly Load[] {
  return (['base64', 'float'] as const).map((encoding_format) => ({
    name: `embedding, ${encoding_format}`,
    path: '/v1/embeddings',
    bodies: Array.from({ length: DIFFERENT }, (_, at) => {
      const input = `Text number ${at} of those that are asked for again and again, with some twenty tokens in it.`;
      return JSON.stringify({ model, input, encoding_format });
    }),
  }));
}

function chatLoad(model: string, isSmoke: boolean): Load {
  const bodies = Array.from({ length: isSmoke ? 2 : 16 }, (_, at) =>
    JSON.stringify({ model, temperature: 0, max_tokens: 32, messages: [{ role: 'user', content: `Name ${at + 2} rivers.` }] }),
  );
  return { name: 'chat of 32 tokens', path: '/v1/chat/completions', bodies };
}

async function measureAll(context: BenchContext, figures: Figures, server: RunningServer, loads: readonly Load[]): Promise<void> {
  for (const load of loads) {
    const run = (clients: number, requests: number, expected: string): Promise<KeepAliveResult> =>
      sendKeptAlive(
        { port: server.port, path: load.path, bodies: load.bodies, clients, requests: context.smoke ? load.bodies.length : requests },
        expected,
      );
    await run(1, load.bodies.length, 'x-millrace-cache');
    await run(CROWD, 4000, HIT);
    for (let round = 0; round < context.reps; round++) {
      const alone = await run(1, 4000, HIT);
      const add = (percent: number, goal: object): void =>
        figures.add('ours', percentile(alone.latenciesMs, percent), {
          name: `${load.name}: hit p${percent}`,
          unit: 'ms',
          better: 'lower',
          ...goal,
        });
      add(50, {});
      add(99, { valueGoal: P99_GOAL_MS });
      const before = await cpuSeconds(server.pid);
      const crowd = await run(CROWD, 20_000, HIT);
      const used = ((await cpuSeconds(server.pid)) ?? Number.NaN) - (before ?? Number.NaN);
      // Threads beside the event loop count too: this is what one core would give if it did all of their work.
      const perCore = crowd.latenciesMs.length / Math.max(used, crowd.seconds);
      const name = `${load.name}: hits of one core, ${CROWD} clients`;
      if (used > 0) figures.add('ours', perCore, { name, unit: '/s', better: 'higher', valueGoal: HITS_GOAL });
      figures.add('ours', alone.failed + crowd.failed, {
        name: `${load.name}: failed requests`,
        unit: 'requests',
        better: 'lower',
        valueGoal: 0,
      });
    }
  }
}

const QUESTIONS = 10_000;
const WIDTH = 384;
const SIMILARITY = 0.9;

/** Random vectors, all asked under the same conditions: none is near, so that every one is looked at. */
function searchP99Ms(searches: number): number {
  const random = seededRandom(5);
  const vector = (): Float32Array => {
    const numbers = Float32Array.from({ length: WIDTH }, () => random() - 0.5);
    const norm = Math.hypot(...numbers);
    return numbers.map((value) => value / norm);
  };
  const index = new QuestionIndex();
  for (let at = 0; at < QUESTIONS; at++) index.add(`k${at}`, { context: 'c', answer: 'a', vector: vector() });
  const times = Array.from({ length: searches }, () => {
    const asked = vector();
    const startedMs = performance.now();
    index.nearest('c', asked, SIMILARITY);
    return performance.now() - startedMs;
  });
  return percentile(times, 99);
}
