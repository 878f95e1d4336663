// Real HTTP streams against both servers: a burst, arrivals at random, and eight times more clients than slots.
import { type BenchContext, alternate, withServer } from '../context.ts';
import { type Figure, type FigureSpec, Figures } from '../figure.ts';
import { LoadGenerator } from '../load/generate.ts';
import { type Arrivals, type ChatShape, chatBodies, poissonArrivals } from '../load/plan.ts';
import { type LoadSummary, summarise } from '../load/summary.ts';
import { type RunningServer, type Target, llamaTarget, millraceTarget } from '../servers.ts';

const CHAT = { promptWords: 92, sharedWords: 0, maxTokens: 64 } as const;
const LIMIT_MS = 300_000;
const EVENT_LOOP: FigureSpec = { name: 'event-loop delay p99 over all of these', unit: 'ms', better: 'lower', valueGoal: 20 };

interface Load {
  readonly kind: 'burst' | 'random' | 'overload';
  readonly name: string;
  readonly requests: number;
  readonly arrivals: Arrivals;
}

interface Comparison {
  readonly part: string;
  readonly ours: Target;
  /** Null: ours alone. */
  readonly peer: Target | null;
  /** Output of a burst, ours over the peer's. */
  readonly burstGoal: number;
}

/** Our 8-bit variant against llama-server with the file as shipped and with its fastest format. */
export async function serverPart(context: BenchContext): Promise<readonly Figure[]> {
  const { peer, files, shape } = context;
  const ours = millraceTarget(files.dataDir, files.int8Model, shape, { watchEventLoop: true });
  if (peer === null) return compare(context, { part: 'server', ours, peer: null, burstGoal: 4 });
  const shipped = await compare(context, {
    part: 'server, peer as shipped',
    ours,
    peer: llamaTarget(peer, files.source, shape),
    burstGoal: 4,
  });
  if (files.q4 === null || context.smoke) return shipped;
  return [
    ...shipped,
    ...(await compare(context, { part: 'server, peer Q4_0', ours, peer: llamaTarget(peer, files.q4, shape), burstGoal: 2 })),
  ];
}

async function compare(context: BenchContext, { part, ours, peer, burstGoal }: Comparison): Promise<readonly Figure[]> {
  const figures = new Figures(part);
  using generator = new LoadGenerator();
  const run = async (server: RunningServer, load: Load, seed: number): Promise<LoadSummary> => {
    const bodies = chatBodies(chatShape(context, server), load.requests, seed);
    const plan = { port: server.port, path: '/v1/chat/completions', bodies, arrivals: load.arrivals, limitMs: LIMIT_MS };
    const { samples } = await generator.run(plan);
    const failure = samples.find((sample) => !sample.ok)?.failure;
    if (failure !== undefined) context.log(`${part}, ${load.name}: a request failed: ${failure}`);
    return summarise(samples);
  };
  const saturatedRate = await withServer(peer ?? ours, async (server) => (await run(server, burst(context), 1)).requestsPerSecond);
  context.log(`${part}: saturated at ${saturatedRate.toFixed(2)} requests/s`);
  await alternate(context, peer === null ? ['ours'] : ['ours', 'peer'], async (side, round) => {
    await withServer(side === 'ours' || peer === null ? ours : peer, async (server) => {
      await run(server, warmUp, 900 + round);
      for (const [i, load] of loads(context, saturatedRate, round).entries()) {
        const summary = await run(server, load, round * 10 + i + 2);
        for (const [value, spec] of figuresOf(load, summary, burstGoal)) figures.add(side, value, spec);
      }
      const delayMs = await server.eventLoopDelayP99Ms();
      if (delayMs !== null) figures.add(side, delayMs, EVENT_LOOP);
    });
  });
  return figures.list();
}

const warmUp: Load = { kind: 'burst', name: 'warm-up', requests: 2, arrivals: { kind: 'closed', clients: 2 } };

function chatShape(context: BenchContext, server: RunningServer): ChatShape {
  return context.smoke ? { model: server.model, promptWords: 12, sharedWords: 0, maxTokens: 6 } : { model: server.model, ...CHAT };
}

const burst = (context: BenchContext): Load => ({
  kind: 'burst',
  name: `${context.shape.slots} clients`,
  requests: context.shape.slots * (context.smoke ? 1 : 3),
  arrivals: { kind: 'closed', clients: context.shape.slots },
});

function loads(context: BenchContext, saturatedRate: number, round: number): readonly Load[] {
  const arrivals = (share: number): Load => {
    const requests = context.smoke ? 4 : 40;
    const name = `Poisson at ${share * 100}% of the peer's rate`;
    return {
      kind: 'random',
      name,
      requests,
      arrivals: { kind: 'open', atMs: poissonArrivals(requests, saturatedRate * share, 77 + round) },
    };
  };
  const clients = context.shape.slots * (context.smoke ? 2 : 8);
  const overload: Load = { kind: 'overload', name: `${clients} clients`, requests: clients, arrivals: { kind: 'closed', clients } };
  return [burst(context), arrivals(0.5), arrivals(0.8), overload];
}

function figuresOf(load: Load, summary: LoadSummary, burstGoal: number): readonly (readonly [number, FigureSpec])[] {
  const { kind } = load;
  const spec = (what: string, unit: string, better: 'higher' | 'lower', ratioGoal: number | null = null): FigureSpec => {
    return { name: `${load.name}: ${what}`, unit, better, ...(ratioGoal === null ? {} : { ratioGoal }) };
  };
  const goodput: readonly (readonly [number, FigureSpec])[] = [
    [summary.goodput, spec('goodput 5 s/150 ms', 'tok/s', 'higher', 2)],
    [summary.wideGoodput, spec('goodput 10 s/300 ms', 'tok/s', 'higher', 2)],
  ];
  return [
    [summary.outputTokensPerSecond, spec('output', 'tok/s', 'higher', kind === 'burst' ? burstGoal : null)],
    ...(kind === 'overload' ? goodput : []),
    [summary.ttftP50Ms, spec('TTFT p50', 'ms', 'lower')],
    [summary.ttftP95Ms, spec('TTFT p95', 'ms', 'lower', kind === 'overload' ? null : 0.4)],
    [summary.itlP50Ms, spec('ITL p50', 'ms', 'lower')],
    [summary.itlP99Ms, spec('ITL p99', 'ms', 'lower', kind === 'random' ? 0.5 : null)],
    [summary.failed, { ...spec('failed requests', 'requests', 'lower'), valueGoal: 0 }],
  ];
}
