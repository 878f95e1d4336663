// Two tenants at one server: what a flood of one does to the other's first tokens, against the same requests without the flood.
import { rm } from 'node:fs/promises';
import { type BenchContext, withServer } from '../context.ts';
import { type Figure, Figures } from '../figure.ts';
import { LoadGenerator } from '../load/generate.ts';
import { chatBodies, poissonArrivals, type LoadPlan } from '../load/plan.ts';
import { summarise } from '../load/summary.ts';
import { keyFilePath } from '../../../engine/access/key-file.ts';
import { plainWish } from '../../../engine/access/key-wish.ts';
import { Keys } from '../../../engine/access/keys.ts';
import { ownDataDir } from '../../served.ts';
import { millraceTarget } from '../servers.ts';
import { median, percentile } from '../statistics.ts';

const PROMPT_WORDS = 92;
const MAX_TOKENS = 32;
/** Requests that the flood has open at once, several times the slots. */
const FLOOD = 48;
/** Requests of the calm tenant that are open at once on average, when it is alone: far less than its share. */
const CALM_LOAD = 0.2;

export async function fairnessPart(context: BenchContext): Promise<readonly Figure[]> {
  const figures = new Figures('fairness');
  for (let round = 0; round < context.reps; round++) {
    const [alone, flooded] = [await calmTtfts(context, round, false), await calmTtfts(context, round, true)];
    for (const percent of [50, 99]) {
      const [before, after] = [percentile(alone, percent), percentile(flooded, percent)];
      figures.add('ours', before, { name: `calm tenant alone: TTFT p${percent}`, unit: 'ms', better: 'lower' });
      figures.add('ours', after, { name: `calm tenant beside a flood: TTFT p${percent}`, unit: 'ms', better: 'lower' });
      const goal = percent === 99 ? { valueGoal: 1.2 } : {};
      figures.add('ours', after / before, {
        name: `a flood raises the calm tenant's TTFT p${percent}`,
        unit: 'times',
        better: 'lower',
        ...goal,
      });
    }
  }
  return figures.list();
}

/** First tokens of the calm tenant, in ms, in a server of its own. */
async function calmTtfts({ files, shape, smoke }: BenchContext, round: number, isFlooded: boolean): Promise<readonly number[]> {
  const dataDir = await ownDataDir(files.dataDir);
  try {
    const [calm, flood] = [await bearer(dataDir, 'calm'), await bearer(dataDir, 'flood')];
    return await withServer(millraceTarget(dataDir, files.int8Model, shape, { flags: ['--drain', '0'] }), async ({ port, model }) => {
      using generator = new LoadGenerator();
      using flooder = new LoadGenerator();
      const chat = { model, promptWords: PROMPT_WORDS, sharedWords: 0, maxTokens: smoke ? 4 : MAX_TOKENS };
      const count = smoke ? 3 : 40;
      const plan = { port, path: '/v1/chat/completions', limitMs: 120_000 };
      // The tenant is known to the server before anything is measured, and its rate follows from what this machine can do.
      const known = await generator.run({
        ...plan,
        headers: calm,
        arrivals: { kind: 'closed', clients: 1 },
        bodies: chatBodies(chat, 5, round + 900),
      });
      const requestMs = median(known.samples.map(({ sentMs, endMs }) => endMs - sentMs));
      const flooding = isFlooded ? flooder.run(floodPlan(plan, flood, chatBodies(chat, smoke ? 12 : 20_000, round + 500))) : null;
      flooding?.catch(() => undefined);
      const arrivals = { kind: 'open' as const, atMs: poissonArrivals(count, smoke ? 4 : (CALM_LOAD * 1000) / requestMs, round) };
      const { samples } = await generator.run({ ...plan, headers: calm, arrivals, bodies: chatBodies(chat, count, round) });
      const { failed } = summarise(samples);
      if (failed > 0) throw new Error(`${failed} of ${count} requests of the calm tenant failed.`);
      return samples.map(({ ttftMs }) => ttftMs);
    });
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
}

function floodPlan(
  plan: Pick<LoadPlan, 'port' | 'path' | 'limitMs'>,
  headers: Record<string, string>,
  bodies: readonly string[],
): LoadPlan {
  return { ...plan, headers, arrivals: { kind: 'closed', clients: FLOOD }, bodies };
}

async function bearer(dataDir: string, tenant: string): Promise<Record<string, string>> {
  const keys = new Keys({ path: keyFilePath(dataDir), now: Date.now, onFault: () => undefined });
  const { secret } = await keys.create(plainWish(tenant));
  return { Authorization: `Bearer ${secret}` };
}
