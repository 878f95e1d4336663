// Proportional set size of all processes of a server: loaded, every slot full, after many short requests, after an idle minute.
import { setTimeout as delay } from 'node:timers/promises';
import { type BenchContext, withServer } from '../context.ts';
import { type Figure, type FigureSpec, Figures, type Side } from '../figure.ts';
import { LoadGenerator } from '../load/generate.ts';
import { chatBodies } from '../load/plan.ts';
import { treePssBytes } from '../machine.ts';
import { type RunningServer, type Target, llamaTarget, millraceTarget } from '../servers.ts';

const MIB = 2 ** 20;
const SMALL_CACHE = ', 8-bit KV cache';

/** Where a server's figures stand. */
interface Column {
  readonly figures: Figures;
  readonly side: Side;
  /** Ends the figures' names. */
  readonly cache: string;
}

/** One round: what is measured is held memory, not time. */
export async function memoryPart(context: BenchContext): Promise<readonly Figure[]> {
  const { peer, files, shape } = context;
  const figures = new Figures('memory');
  if ((await treePssBytes(process.pid)) === null) {
    context.log('memory: this system does not tell the proportional set size, left out.');
    return [];
  }
  await measure(context, { figures, side: 'ours', cache: '' }, millraceTarget(files.dataDir, files.int8Model, shape));
  const small = { flags: ['--kv-cache', 'int8'] };
  await measure(context, { figures, side: 'ours', cache: SMALL_CACHE }, millraceTarget(files.dataDir, files.int8Model, shape, small));
  if (peer !== null) await measure(context, { figures, side: 'peer', cache: '' }, llamaTarget(peer, files.source, shape));
  return figures.list();
}

async function measure(context: BenchContext, { figures, side, cache }: Column, target: Target): Promise<void> {
  const { slots, contextPerSlot } = context.shape;
  await withServer(target, async (server) => {
    const pss = async (spec: Omit<FigureSpec, 'unit' | 'better'>): Promise<number> => {
      const bytes = (await treePssBytes(server.pid)) ?? Number.NaN;
      figures.add(side, bytes / MIB, { ...spec, name: `${spec.name}${cache}`, unit: 'MiB', better: 'lower' });
      return bytes;
    };
    await send(server, { promptWords: 4, maxTokens: 2, count: 1, clients: 1 });
    const loaded = await pss({ name: 'after load', ratioGoal: 1 });
    // Words are nearly one token each; the slack is for the template and for the words that are two.
    const promptWords = context.smoke ? 60 : Math.floor((contextPerSlot - 120) / 1.05);
    await send(server, { promptWords, maxTokens: 16, count: slots, clients: slots });
    const filled = await pss({ name: 'every slot filled', ratioGoal: cache === '' ? 1.2 : 1 });
    // What follows is demanded of ours alone, and takes the peer many minutes.
    if (side === 'peer') return copyToSmallCache(figures, { loaded, filled });
    if (cache !== '') return;
    const short = context.smoke ? 20 : 10_000;
    context.log(`memory: ${short} short requests`);
    await send(server, { promptWords: 2, maxTokens: 1, count: short, clients: slots });
    const after = await pss({ name: `after ${short} short requests` });
    await delay(context.smoke ? 500 : 60_000);
    const idle = await pss({ name: 'after an idle minute' });
    figures.add(side, after / filled, { name: `growth over ${short} short requests`, unit: '', better: 'lower', valueGoal: 1.05 });
    figures.add(side, idle / loaded, { name: 'idle over loaded', unit: '', better: 'lower', valueGoal: 1.1 });
  });
}

/** The peer has one form of cache; both of ours are compared with it. */
function copyToSmallCache(figures: Figures, peer: { readonly loaded: number; readonly filled: number }): void {
  const spec = { unit: 'MiB', better: 'lower' } as const;
  figures.add('peer', peer.loaded / MIB, { ...spec, name: `after load${SMALL_CACHE}`, ratioGoal: 1 });
  figures.add('peer', peer.filled / MIB, { ...spec, name: `every slot filled${SMALL_CACHE}`, ratioGoal: 1 });
}

interface Crowd {
  readonly promptWords: number;
  readonly maxTokens: number;
  readonly count: number;
  readonly clients: number;
}

async function send(server: RunningServer, { promptWords, maxTokens, count, clients }: Crowd): Promise<void> {
  using generator = new LoadGenerator();
  const bodies = chatBodies({ model: server.model, promptWords, sharedWords: 0, maxTokens }, count, 41);
  const plan = { port: server.port, path: '/v1/chat/completions', bodies, limitMs: 600_000 };
  const { samples } = await generator.run({ ...plan, arrivals: { kind: 'closed', clients } });
  const failed = samples.find((sample) => !sample.ok);
  if (failed !== undefined) throw new Error(`A request of the memory part failed: ${failed.status} ${failed.failure}`);
}
