// Runs one load test from the plan to the report. Whoever calls it saves the report.
import { performance } from 'node:perf_hooks';
import type { LoadTestReport, LoadTestRequest, LoadTestRun, Slo } from '../contract.ts';
import { EngineError } from '../errors.ts';
import { planArrivals } from './arrivals.ts';
import { busiestHours, readObjectives, readRecorded, readRows } from './books.ts';
import { calibrate } from './calibrate.ts';
import type { Door } from './exchange.ts';
import { Progress } from './progress.ts';
import { promptText, type TokenScale } from './prompt-text.ts';
import { OWN_REQUEST_PREFIX, planReplay, type PlannedRequest } from './replay.ts';
import { makeReport } from './report.ts';
import { reportId } from './reports.ts';
import { sendAll, type DueRequest } from './send.ts';

export interface LoadTestOptions {
  readonly request: LoadTestRequest;
  /** This machine's server: whose record is replayed, and which is tested where the request names no other. Null: none runs. */
  readonly home: Door | null;
  readonly version: string;
  readonly signal: AbortSignal;
  readonly onProgress: (run: LoadTestRun) => void;
  /** Bytes of the machine's memory. */
  readonly memoryBytes: number;
}

interface Plan {
  readonly requests: readonly PlannedRequest[];
  readonly leftOut: LoadTestReport['leftOut'];
  readonly source: string;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const MOST_REQUESTS = 50_000;
const PATIENCE_MS = 120_000;
/** Hours of the record that are looked into for the busiest. */
const MOST_HOURS = 24;
/** Where no server of ours tells its objectives. */
const PLAIN_SLO: Slo = { ttftMs: 2_000, interTokenMs: 200, totalMs: null };

/** @throws EngineError `invalid_request` when there is nothing to send or nobody answers; the signal's reason when it is cancelled */
export async function runLoadTest(options: LoadTestOptions): Promise<LoadTestReport> {
  const { request, home, signal, version } = options;
  const { key, ...asked } = request;
  const startedMs = Date.now();
  const id = reportId(startedMs, Math.random());
  const prefix = `${OWN_REQUEST_PREFIX}${id}`;
  const progress = new Progress({ asked, startedMs, onChange: options.onProgress });
  const door = request.url === null ? homeOf(home) : { url: request.url, headers: key === null ? {} : { authorization: `Bearer ${key}` } };
  progress.step('preparing', 'Reading what to send');
  const sloOf = home === null ? () => PLAIN_SLO : await readObjectives(home);
  const { plan, scales } = await calibrated(await planOf(options), { door, prefix, signal }, progress);
  const due = dueRequests(plan.requests, scales, prefix);
  const lastMs = due.at(-1)?.atMs ?? 0;
  progress.send(due.length, lastMs, (model, sample) => keeps(sloOf(model), sample));
  const sendingMs = Date.now();
  const load = performance.eventLoopUtilization();
  const samples = await sendAll(due, {
    door,
    signal,
    patienceMs: PATIENCE_MS,
    onSent: () => progress.sent(),
    onSample: (sample) => progress.answered(sample),
  });
  const cores = performance.eventLoopUtilization(load).utilization;
  signal.throwIfAborted();
  progress.step('finishing', 'Reading what the server recorded');
  const range = { fromMs: sendingMs, toMs: Date.now() + 1 };
  const isOwn = request.url === null;
  const recorded = isOwn ? await readRecorded(door, range, { prefix: `${prefix}-r`, count: samples.length }) : null;
  const memory = recorded?.memory ?? null;
  return makeReport({
    id,
    startedMs,
    endedMs: Date.now(),
    version,
    asked,
    samples,
    sloOf,
    recorded,
    cores,
    source: plan.source,
    planned: due.length,
    leftOut: plan.leftOut,
    memory: memory === null ? null : { ...memory, totalBytes: options.memoryBytes },
  });
}

function keeps(slo: Slo, ttftMs: number | null): boolean {
  return slo.ttftMs === null || (ttftMs !== null && ttftMs <= slo.ttftMs);
}

function homeOf(home: Door | null): Door {
  if (home === null) throw new EngineError('not_found', 'No server runs on this data folder. Start one: millrace serve', { param: 'url' });
  return home;
}

async function planOf({ request, home }: LoadTestOptions): Promise<Plan> {
  const { profile, factor, minutes, model } = request;
  const windowMs = minutes * MINUTE_MS;
  const plan =
    profile.kind === 'recorded'
      ? await busiestHour(homeOf(home), factor, windowMs)
      : {
          requests: planArrivals(profile, { factor, windowMs, random: Math.random }),
          leftOut: [],
          source: `${profile.kind === 'bursts' ? 'bursts' : 'random arrivals'}, ${profile.perSecond} a second before the factor`,
        };
  if (plan.requests.length > MOST_REQUESTS)
    throw new EngineError('invalid_request', `${plan.requests.length} requests are more than ${MOST_REQUESTS}.`, { param: 'minutes' });
  return model === null ? plan : { ...plan, requests: plan.requests.map((planned) => ({ ...planned, model })) };
}

/** Of the recorded hours the one with most requests that can be sent again. */
async function busiestHour(home: Door, factor: number, windowMs: number): Promise<Plan> {
  let best: Plan & { readonly sendable: number } = { requests: [], leftOut: [], source: '', sendable: 0 };
  for (const { atMs, requests } of (await busiestHours(home, Date.now())).slice(0, MOST_HOURS)) {
    if (requests <= best.sendable) break;
    const rows = await readRows(home, { fromMs: atMs, toMs: atMs + HOUR_MS }, null);
    const { requests: sendable } = planReplay(rows, 1, HOUR_MS * 2);
    if (sendable.length > best.sendable)
      best = { ...planReplay(rows, factor, windowMs), source: sourceOf(atMs, (windowMs * factor) / MINUTE_MS), sendable: sendable.length };
  }
  if (best.requests.length === 0)
    throw new EngineError('invalid_request', 'No request is recorded that could be sent again. Test with random arrivals first.', {
      param: 'profile',
    });
  return best;
}

function sourceOf(hourMs: number, minutes: number): string {
  const [day = '', time = ''] = new Date(hourMs).toISOString().split('T');
  const stretch = minutes >= 60 ? 'the hour' : `the busiest ${Number(minutes.toPrecision(3))} minutes of the hour`;
  return `${stretch} from ${day}, ${time.slice(0, 5)} UTC`;
}

type Calibrating = Parameters<typeof calibrate>[1];

async function calibrated(plan: Plan, wish: Calibrating, progress: Progress): Promise<{ plan: Plan; scales: Map<string, TokenScale> }> {
  const scales = new Map<string, TokenScale>();
  for (const model of new Set(plan.requests.map((planned) => planned.model))) {
    progress.step('preparing', `Loading ${model}`);
    const scale = await calibrate(model, wish);
    if (scale !== null) scales.set(model, scale);
  }
  const requests = plan.requests.filter(({ model }) => scales.has(model));
  const missing = plan.requests.length - requests.length;
  if (requests.length === 0)
    throw new EngineError('invalid_request', `${wish.door.url} has none of the models to ask.`, { param: 'model' });
  const leftOut = missing === 0 ? plan.leftOut : [...plan.leftOut, { reason: 'their model is not there', count: missing }];
  return { plan: { ...plan, requests, leftOut }, scales };
}

function dueRequests(planned: readonly PlannedRequest[], scales: ReadonlyMap<string, TokenScale>, prefix: string): readonly DueRequest[] {
  const seed = Math.floor(Math.random() * 1e9);
  return planned.map(({ atMs, model, tenant, promptTokens, cachedTokens, answerTokens }, i) => {
    const wish = { promptTokens, sharedTokens: cachedTokens, group: `${model}\n${tenant}`, seed: seed + i };
    const text = promptText(wish, scales.get(model) ?? { overhead: 0, perWord: 1 });
    return { id: `${prefix}-r${i}`, atMs, model, text, answerTokens };
  });
}
