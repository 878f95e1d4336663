// Runs the steps of a drill one after the other: makes each fault, probes, and lets the server mend itself. Keeps nothing.
import { setTimeout as delay } from 'node:timers/promises';
import type { DrillProbe, DrillReport, DrillStep, DrillStepName } from '../../contract.ts';
import type { ProbeDoor } from '../checklist-control.ts';
import { judgeFullQueue, judgeRunnerDeath, judgeUpstreamCut, skipped } from './judge-steps.ts';
import type { Probe } from './probe.ts';

/** How faults are made. */
export interface Faults {
  /** Kills the process of a model. False when it has none. */
  killRunner(model: string): boolean;
  /** An upstream that is routed to, and a model name that leads to it; null: there is none. */
  upstream(): { readonly name: string; readonly model: string } | null;
  /** No request reaches the upstream until the returned function is called. */
  cutUpstream(name: string): () => void;
  /** Requests of one model that are taken in at once. */
  readonly queueLimit: number;
}

export interface DrillOptions {
  readonly door: ProbeDoor;
  readonly model: string;
  readonly forced: boolean;
  readonly faults: Faults;
  readonly probe: Probe;
  readonly onStep: (step: DrillStepName | 'baseline') => void;
  /** Milliseconds since 1970, and monotonic ones. */
  readonly now: () => number;
  readonly clock: () => number;
}

const SHORT = 8;
/** Long enough that the process dies in its middle. */
const LONG = 96;
/** More than the queue holds. */
const EXCESS = 16;
/** How often, and how soon, a refused client comes back. */
const TRIES = 20;
const PAUSE_MS = 500;

/** Never rejects: a step that could not be made says so. */
export async function runDrill(options: DrillOptions): Promise<DrillReport> {
  const { door, model, forced, probe, onStep, now } = options;
  const startedMs = now();
  onStep('baseline');
  await probe(door, { model, maxTokens: SHORT });
  const baseline = await probe(door, { model, maxTokens: SHORT });
  const steps: DrillStep[] = [];
  const runs = { runner_death: runnerDeath, full_queue: fullQueue, upstream_cut: upstreamCut } as const;
  for (const [step, run] of Object.entries(runs) as [DrillStepName, (of: DrillOptions) => Promise<DrillStep>][]) {
    onStep(step);
    steps.push(await run(options));
  }
  const passed = steps.every(({ verdict }) => verdict !== 'failed') && steps.some(({ verdict }) => verdict === 'passed');
  return { startedMs, endedMs: now(), forced, model, baselineTtftMs: baseline.ttftMs, passed, steps };
}

async function runnerDeath({ door, model, faults, probe, clock }: DrillOptions): Promise<DrillStep> {
  let killedAt: number | null = null;
  const onFirst = (): void => {
    if (faults.killRunner(model)) killedAt = clock();
  };
  const hit = await probe(door, { model, maxTokens: LONG, onFirst });
  if (killedAt === null) return skipped('runner_death', `${model} had no process of its own to kill, or no token came.`);
  const next = await comeBack({ door, model, probe });
  return judgeRunnerDeath(hit, next, clock() - killedAt);
}

async function fullQueue({ door, model, faults, probe }: DrillOptions): Promise<DrillStep> {
  const stop = new AbortController();
  const count = faults.queueLimit + EXCESS;
  const refused: DrillProbe[] = [];
  const send = async (): Promise<void> => {
    const seen = await probe(door, { model, maxTokens: LONG, signal: stop.signal });
    if (stop.signal.aborted || seen.status === 200) return;
    refused.push(seen);
    // Enough is known; those who wait would only keep the machine busy.
    if (refused.length === EXCESS) stop.abort();
  };
  await Promise.all(Array.from({ length: count }, send));
  stop.abort();
  const after = await comeBack({ door, model, probe });
  return judgeFullQueue(refused, count, after);
}

/** As a client does that is told to come back. */
async function comeBack({ door, model, probe }: Pick<DrillOptions, 'door' | 'model' | 'probe'>): Promise<DrillProbe> {
  for (let attempt = 1; ; attempt++) {
    const seen = await probe(door, { model, maxTokens: SHORT });
    if ((seen.status !== 429 && seen.status !== 503) || attempt === TRIES) return seen;
    await delay(PAUSE_MS);
  }
}

async function upstreamCut({ door, faults, probe }: DrillOptions): Promise<DrillStep> {
  const upstream = faults.upstream();
  if (upstream === null) return skipped('upstream_cut', 'No upstream is routed to, so there is none to lose.');
  const mend = faults.cutUpstream(upstream.name);
  try {
    return judgeUpstreamCut(upstream.name, await probe(door, { model: upstream.model, maxTokens: SHORT }));
  } finally {
    mend();
  }
}
