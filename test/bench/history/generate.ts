// Makes a history file as a year of use leaves it: the last month record by record through the store's own writer,
// the months before as copies of that month's hours and days, of which nothing else would be left.
import { DEFAULT_SETTINGS } from '../../../engine/ledger/settings/defaults.ts';
import type { RequestRecord, Sample } from '../../../engine/ledger/ledger.ts';
import { openDatabase } from '../../../engine/ledger/store/database.ts';
import type { WriteQuestion } from '../../../engine/ledger/store/messages.ts';
import { GRAIN } from '../../../engine/ledger/store/rollup.ts';
import { MIGRATIONS, STATS, type StatsShape, type StatsTable } from '../../../engine/ledger/store/schema.ts';
import { Writer } from '../../../engine/ledger/store/writer.ts';

export interface HistoryShape {
  readonly days: number;
  readonly requestsPerDay: number;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** 2026-11-24 10:41:12.345 UTC: amid a day and an hour, as it mostly is. */
export const END_MS = Date.UTC(2026, 10, 24, 10, 41, 12, 345);

const MODELS = ['smollm2-135m-instruct', 'qwen3-4b-instruct', 'all-minilm-l6-v2'] as const;
const DEVICES = ['cpu', 'gpu0'] as const;
const TENANTS = Array.from({ length: 8 }, (_, at) => `tenant-${at}`);

export function generateHistory(path: string, shape: HistoryShape, log: (line: string) => void): void {
  const { retention } = DEFAULT_SETTINGS;
  const recordedDays = Math.min(shape.days, Math.max(retention.requestsDays, retention.minutesDays));
  const writer = new Writer(path);
  ask(writer, { kind: 'open', nowMs: END_MS });
  for (let hour = recordedDays * 24; hour > 0; hour--) {
    writeHour(writer, END_MS - hour * HOUR_MS, shape);
    if (hour % 240 === 0) log(`history: ${hour / 24} days to record`);
  }
  ask(writer, { kind: 'close' });
  copyOlder(path, shape.days, recordedDays);
  ask(writer, { kind: 'open', nowMs: END_MS });
  while (ask(writer, { kind: 'maintain', nowMs: END_MS, retention })) continue;
  ask(writer, { kind: 'close' });
}

/** True when there is more to do. */
function ask(writer: Writer, question: WriteQuestion): boolean {
  const answer = writer.answer(question);
  if (answer.kind === 'fault') throw new Error(answer.fault.detail);
  return answer.more;
}

/** Every second is sampled in the last day, of which seconds are kept; before it one of a minute, which leaves as many rows. */
function writeHour(writer: Writer, fromMs: number, { requestsPerDay }: HistoryShape): void {
  const random = randomFrom(fromMs / HOUR_MS);
  const stepMs = fromMs >= END_MS - DEFAULT_SETTINGS.retention.secondsHours * HOUR_MS ? 1_000 : 60_000;
  const samples = Array.from({ length: HOUR_MS / stepMs }, (_, at) => someSample(fromMs + at * stepMs, random));
  const count = Math.round((requestsPerDay / 24) * loadAt(fromMs));
  const requests = Array.from({ length: count }, () => someRequest(fromMs + Math.floor(random() * HOUR_MS), random));
  requests.sort((a, b) => a.atMs + a.totalMs - b.atMs - b.totalMs);
  ask(writer, { kind: 'write', batch: { id: String(fromMs), requests, samples, alerts: [] } });
}

/** Share of the mean load: quiet nights, busy afternoons. */
const loadAt = (ms: number): number => 1 - 0.9 * Math.cos((2 * Math.PI * (ms % DAY_MS)) / DAY_MS);

function someRequest(atMs: number, random: () => number): RequestRecord {
  const model = pick(MODELS, random() ** 2);
  const isText = model !== 'all-minilm-l6-v2';
  const tenant = pick(TENANTS, random() ** 3);
  const completionTokens = isText ? Math.round(logNormal(random, 120, 0.8)) : 0;
  const interTokenP50Ms = isText ? logNormal(random, 9, 0.4) : null;
  const ttftMs = isText ? logNormal(random, 60, 0.9) : null;
  const totalMs = (ttftMs ?? logNormal(random, 8, 0.7)) + completionTokens * (interTokenP50Ms ?? 0);
  const outcome = random() < 0.985 ? 'ok' : random() < 0.5 ? 'error' : 'cancelled';
  return {
    requestId: `req_${hex(random, 8)}-${hex(random, 4)}-4${hex(random, 3)}-8${hex(random, 3)}-${hex(random, 12)}`,
    atMs,
    tenant,
    key: `${tenant}-${random() < 0.7 ? 'app' : 'notebook'}`,
    endpoint: isText ? (random() < 0.9 ? '/v1/chat/completions' : '/v1/completions') : '/v1/embeddings',
    streamed: isText && random() < 0.7,
    modelAsked: random() < 0.8 ? model : 'auto',
    model,
    variant: 'int8',
    precision: 'int8',
    device: pick(DEVICES, random()),
    routeReason: random() < 0.8 ? 'asked for by name' : `cheapest within the latency goal of ${Math.round(random() * 20) * 100} ms`,
    queueMs: random() < 0.6 ? 0 : logNormal(random, 40, 1),
    loadMs: 0,
    prefillMs: ttftMs === null ? null : ttftMs * 0.8,
    ttftMs,
    interTokenP50Ms,
    interTokenP99Ms: interTokenP50Ms === null ? null : interTokenP50Ms * (1.5 + random()),
    totalMs,
    promptTokens: Math.round(logNormal(random, 400, 1)),
    cachedTokens: random() < 0.5 ? 0 : Math.round(random() * 300),
    completionTokens,
    meanBatch: 1 + random() * 6,
    cache: random() < 0.1 ? 'hit' : 'miss',
    deviceMs: totalMs * 0.3,
    energyJoules: totalMs * 0.03,
    energyUsd: totalMs * 2.5e-9,
    hardwareUsd: totalMs * 3.6e-9,
    upstreamUsd: random() < 0.05 ? random() * 0.01 : 0,
    premiumUsd: 0.001 + completionTokens * 1e-5,
    status: outcome === 'error' ? 500 : 200,
    outcome,
    errorCode: outcome === 'error' ? pick(['queue_full', 'deadline_exceeded', 'runner_died'], random()) : null,
  };
}

function someSample(atMs: number, random: () => number): Sample {
  return {
    atMs,
    devices: DEVICES.map((device) => ({
      device,
      utilisation: random(),
      memoryUsedBytes: Math.round(4e9 + random() * 8e9),
      memoryTotalBytes: 17_179_869_184,
      powerWatts: 40 + random() * 200,
      powerMeasured: device === 'gpu0',
      temperatureCelsius: 40 + random() * 40,
    })),
    models: MODELS.map((model) => ({
      model,
      queueDepth: Math.floor(random() * 3),
      running: Math.floor(random() * 5),
      slots: 8,
      kvUsedTokens: Math.floor(random() * 9_000),
      meanBatch: random() < 0.5 ? null : 1 + random() * 5,
      promptTokens: Math.floor(random() * 500),
      completionTokens: Math.floor(random() * 200),
      busyMs: random() * 1_000,
    })),
    busyUsd: random() * 2e-5,
    idleUsd: random() * 2e-5,
  };
}

/** Copies whole weeks of hours and days backwards. */
function copyOlder(path: string, days: number, recordedDays: number): void {
  const { db } = openDatabase({ path, migrations: MIGRATIONS, synchronous: 'normal', nowMs: END_MS });
  const weekS = 7 * 86_400;
  const startS = Math.floor((END_MS - recordedDays * DAY_MS) / DAY_MS) * 86_400;
  for (let week = 1; recordedDays > 7 && recordedDays + week * 7 <= days; week++) {
    for (const table of Object.keys(STATS) as StatsTable[]) {
      const { keys, sums, histograms }: StatsShape = STATS[table];
      const rest = [...keys.slice(2), ...sums, ...histograms].join(', ');
      const sql = `INSERT INTO ${table} SELECT grain, at - ?, ${rest} FROM ${table} WHERE grain >= ? AND at >= ? AND at < ?`;
      db.prepare<number[]>(sql).run(week * weekS, GRAIN.hour, startS, startS + weekS);
    }
  }
  db.close();
}

/** mulberry32, Tommy Ettinger's public-domain generator: the same history in every run. */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function pick<T>(list: readonly T[], share: number): T {
  const item = list[Math.min(list.length - 1, Math.floor(share * list.length))];
  if (item === undefined) throw new Error('An empty list.');
  return item;
}

/** Median and spread of the logarithm; Box and Muller 1958. */
function logNormal(random: () => number, median: number, sigma: number): number {
  return median * Math.exp(sigma * Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()));
}

const hex = (random: () => number, digits: number): string =>
  Array.from({ length: digits }, () => Math.floor(random() * 16).toString(16)).join('');
