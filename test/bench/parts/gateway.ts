// The gateway alone, over a host that makes tokens at no cost: what it adds to a first token, and its event loop under 64 streams.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { BenchContext } from '../context.ts';
import { type Figure, Figures } from '../figure.ts';
import { LoadGenerator } from '../load/generate.ts';
import { chatBodies } from '../load/plan.ts';
import { type LoadSummary, summarise } from '../load/summary.ts';

const ENTRY = fileURLToPath(new URL('../gateway-alone.ts', import.meta.url));
const PROBE = new URL('../event-loop-probe.ts', import.meta.url).href;
const STREAMS = 64;

export async function gatewayPart(context: BenchContext): Promise<readonly Figure[]> {
  const figures = new Figures('gateway');
  for (let round = 0; round < context.reps; round++) {
    const alone = await measure('instant', { clients: 1, requests: context.smoke ? 20 : 500, maxTokens: 8 });
    // The connection and the generator's own share are in it: an upper bound.
    figures.add('ours', alone.summary.ttftP50Ms, {
      name: 'first token of a host that answers at once, p50',
      unit: 'ms',
      better: 'lower',
      valueGoal: 1,
    });
    const maxTokens = context.smoke ? 100 : 500;
    const crowd = await measure('steady', { clients: STREAMS, requests: STREAMS, maxTokens });
    figures.add('ours', crowd.summary.itlP99Ms, { name: `${STREAMS} streams, a token each 20 ms: ITL p99`, unit: 'ms', better: 'lower' });
    if (crowd.eventLoopDelayP99Ms === null) continue;
    const name = `${STREAMS} streams: event-loop delay p99`;
    figures.add('ours', crowd.eventLoopDelayP99Ms, { name, unit: 'ms', better: 'lower', valueGoal: 20 });
  }
  return figures.list();
}

interface GatewayRun {
  readonly summary: LoadSummary;
  readonly eventLoopDelayP99Ms: number | null;
}

async function measure(kind: 'instant' | 'steady', load: { clients: number; requests: number; maxTokens: number }): Promise<GatewayRun> {
  const probeDir = await mkdtemp(join(tmpdir(), 'millrace-probe-'));
  const env = { ...process.env, MILLRACE_PROBE_DIR: probeDir };
  const child = spawn(process.execPath, ['--import', PROBE, ENTRY, kind], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const closed = once(child, 'close');
  using generator = new LoadGenerator();
  try {
    const [port] = (await once(createInterface(child.stdout), 'line')) as [string];
    const bodies = chatBodies({ model: 'fake', promptWords: 92, sharedWords: 0, maxTokens: load.maxTokens }, load.requests + 2, 61);
    const plan = {
      port: Number(port),
      path: '/v1/chat/completions',
      arrivals: { kind: 'closed', clients: load.clients },
      limitMs: 120_000,
    } as const;
    await generator.run({ ...plan, bodies: bodies.slice(0, 2) });
    const { samples } = await generator.run({ ...plan, bodies: bodies.slice(2) });
    const text = await readFile(join(probeDir, `${child.pid}.json`), 'utf8').catch(() => null);
    return { summary: summarise(samples), eventLoopDelayP99Ms: text === null ? null : (JSON.parse(text) as { p99Ms: number }).p99Ms };
  } finally {
    child.kill();
    await closed;
    await rm(probeDir, { recursive: true });
  }
}
