// Time to the first token when requests share a system prompt of about 400 tokens that the server has seen before.
import { type BenchContext, alternate, withServer } from '../context.ts';
import { type Figure, Figures } from '../figure.ts';
import { LoadGenerator } from '../load/generate.ts';
import { chatBodies } from '../load/plan.ts';
import { percentile } from '../statistics.ts';
import { llamaTarget, millraceTarget } from '../servers.ts';

export async function prefixPart(context: BenchContext): Promise<readonly Figure[]> {
  const { peer, files, shape } = context;
  const figures = new Figures('shared prefix');
  using generator = new LoadGenerator();
  const requests = context.smoke ? 3 : 16;
  await alternate(context, peer === null ? ['ours'] : ['ours', 'peer'], async (side, round) => {
    const target =
      side === 'ours' || peer === null ? millraceTarget(files.dataDir, files.int8Model, shape) : llamaTarget(peer, files.source, shape);
    await withServer(target, async (server) => {
      const chat = { model: server.model, promptWords: 12, sharedWords: context.smoke ? 40 : 380, maxTokens: context.smoke ? 2 : 16 };
      const bodies = chatBodies(chat, requests, 500 + round);
      const plan = { port: server.port, path: '/v1/chat/completions', bodies, limitMs: 120_000 };
      const { samples } = await generator.run({ ...plan, arrivals: { kind: 'closed', clients: 1 } });
      const ttfts = samples.map((sample) => sample.ttftMs);
      figures.add(side, ttfts[0] ?? Number.NaN, { name: 'first request: TTFT', unit: 'ms', better: 'lower' });
      figures.add(side, percentile(ttfts.slice(1), 50), { name: 'those after it: TTFT p50', unit: 'ms', better: 'lower', ratioGoal: 0.6 });
      figures.add(side, percentile(ttfts.slice(1), 95), { name: 'those after it: TTFT p95', unit: 'ms', better: 'lower' });
    });
  });
  return figures.list();
}
