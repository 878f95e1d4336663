// From `serve` on a converted model to ready, and to the first token of a first request.
import { type BenchContext, alternate, withServer } from '../context.ts';
import { type Figure, Figures } from '../figure.ts';
import { LoadGenerator } from '../load/generate.ts';
import { chatBodies } from '../load/plan.ts';
import { llamaTarget, millraceTarget } from '../servers.ts';

export async function startupPart(context: BenchContext): Promise<readonly Figure[]> {
  const { peer, files, shape } = context;
  const figures = new Figures('start');
  using generator = new LoadGenerator();
  await alternate(context, peer === null ? ['ours'] : ['ours', 'peer'], async (side) => {
    const target =
      side === 'ours' || peer === null ? millraceTarget(files.dataDir, files.int8Model, shape) : llamaTarget(peer, files.source, shape);
    await withServer(target, async (server) => {
      const bodies = chatBodies({ model: server.model, promptWords: 4, sharedWords: 0, maxTokens: 2 }, 1, 31);
      const plan = { port: server.port, path: '/v1/chat/completions', bodies, limitMs: 60_000 };
      const { samples } = await generator.run({ ...plan, arrivals: { kind: 'closed', clients: 1 } });
      figures.add(side, server.readyMs, { name: 'ready', unit: 'ms', better: 'lower', ratioGoal: 1.5 });
      // A server that says ready before its model is loaded shows here.
      figures.add(side, server.readyMs + (samples[0]?.ttftMs ?? Number.NaN), {
        name: 'ready and a first short answer',
        unit: 'ms',
        better: 'lower',
      });
    });
  });
  return figures.list();
}
