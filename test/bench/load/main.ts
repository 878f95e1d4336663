// The load generator's own process: gets a plan, answers with the samples, and ends when its parent does.
import { cpuUsage } from 'node:process';
import type { LoadPlan } from './plan.ts';
import { type Sample, digest } from './response.ts';
import { sendAll } from './send.ts';

/** What one load run gives. */
export interface LoadResult {
  readonly samples: readonly Sample[];
  /** Cores that the generator itself kept busy while it sent. */
  readonly clientCores: number;
}

process.on('message', (plan: LoadPlan) => void run(plan));
process.on('disconnect', () => process.exit());

async function run(plan: LoadPlan): Promise<void> {
  const before = cpuUsage();
  const startedMs = performance.now();
  const exchanges = await sendAll(plan);
  const { user, system } = cpuUsage(before);
  const clientCores = (user + system) / 1000 / (performance.now() - startedMs);
  process.send?.({ samples: exchanges.map(digest), clientCores } satisfies LoadResult);
}
