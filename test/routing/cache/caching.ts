// A fake host behind the caches, and small ways to ask it. Settings and time are the test's own.
import { pino } from 'pino';
import { afterEach } from 'vitest';
import type { CacheSettings } from '../../../engine/contract.ts';
import type { CacheReport, Encoding, GenerateRequest, Generation } from '../../../engine/fleet/host.ts';
import { CachedHost } from '../../../engine/routing/cache/cached-host.ts';
import { type EncodeInput, type GenerateEvent, type GenerateParams, PLAIN_SAMPLING } from '../../../engine/runner/protocol.ts';
import { type FakeHostOptions, FakeHost, fakeEmbedding } from '../../fakes/host.ts';

export const ON: CacheSettings = {
  enabled: true,
  maxBytes: 2 ** 22,
  maxAgeHours: 24,
  shared: false,
  semanticSimilarity: null,
  semanticModel: null,
};

export interface Caching {
  readonly host: FakeHost;
  readonly cache: CachedHost;
  /** Lines of the log, as they were written. */
  readonly log: string[];
  nowMs: number;
}

const open: CachedHost[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((cache) => cache.close()));
});

/** Closed after the test. `path`: of the file; memory alone without it. */
export function caching(options: FakeHostOptions & { readonly path?: string; readonly settings?: Partial<CacheSettings> } = {}): Caching {
  const { path = null, settings = {}, ...fake } = options;
  const host = new FakeHost({ encoders: { emb: fakeEmbedding }, stepMs: null, ...fake });
  const log: string[] = [];
  const sink = pino({ level: 'debug' }, { write: (line: string) => void log.push(line) });
  const state = { host, log, nowMs: 1_700_000_000_000 };
  const cache = new CachedHost({ host, path, log: sink, now: () => state.nowMs });
  cache.applySettings({ ...ON, ...settings });
  open.push(cache);
  return Object.assign(state, { cache });
}

export interface AskOptions {
  readonly tenant?: string;
  readonly control?: 'use' | 'refresh' | 'off';
}

export interface Rows {
  readonly encoding: Encoding;
  readonly report: CacheReport;
}

export const text = (word: string): EncodeInput => ({ kind: 'text', text: word });

/** The rows of these texts, and how the cache served. */
export async function encode(
  cache: CachedHost,
  inputs: readonly EncodeInput[],
  options: AskOptions & { readonly signal?: AbortSignal; readonly truncate?: boolean; readonly deadlineMs?: number } = {},
): Promise<Rows> {
  const { tenant = 'a', control = 'use', signal = new AbortController().signal, truncate = false, deadlineMs = 60_000 } = options;
  const reports: CacheReport[] = [];
  const ask = { tenant, control, onUse: (report: CacheReport) => void reports.push(report) };
  const encoding = await cache.encode({ model: 'emb', inputs, params: { truncate, caller: 'c', deadlineMs }, cache: ask }, signal);
  const [report, second] = reports;
  if (report === undefined || second !== undefined) throw new Error(`The use of the cache was told ${reports.length} times.`);
  return { encoding, report };
}

export interface Heard {
  readonly events: GenerateEvent[];
  readonly reports: CacheReport[];
  readonly generation: Generation;
  deviceMs: number;
  settled: number;
}

export function chat(question: string, params: Partial<GenerateParams> = {}, system: string | null = null): GenerateRequest {
  const plain = { sampling: PLAIN_SAMPLING, maxTokens: null, stop: [], topLogprobs: null, promptLogprobs: false, n: 1, ignoreEos: false };
  const before = system === null ? [] : [{ role: 'system', content: system }];
  const prompt = { kind: 'chat', messages: [...before, { role: 'user', content: question }], tools: null, templateOptions: {} } as const;
  return { model: 'fake', prompt, params: { ...plain, ...params } };
}

/** Begins a generation and keeps what is heard of it. */
export function generate(cache: CachedHost, request: GenerateRequest, { tenant = 'a', control = 'use' }: AskOptions = {}): Heard {
  const heard = { events: [] as GenerateEvent[], reports: [] as CacheReport[], deviceMs: 0, settled: 0 };
  const ask = { tenant, control, onUse: (report: CacheReport) => void heard.reports.push(report) };
  const listening: GenerateRequest = {
    mayRestart: () => true,
    ...request,
    cache: ask,
    onCharge: (deviceMs) => void (heard.deviceMs += deviceMs),
    onSettled: () => void heard.settled++,
  };
  const generation = cache.generate(listening, (event) => void heard.events.push(event));
  return Object.assign(heard, { generation });
}

/** Whether the last event has come. */
export function isOver({ events }: Heard): boolean {
  const last = events.at(-1)?.kind;
  return last === 'done' || last === 'error';
}

/** All text of one choice. */
export function said({ events }: Heard, choice = 0): string {
  return events.map((event) => (event.kind === 'text' && event.choice === choice ? event.text : '')).join('');
}

/** Lets everything that is due happen. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 4; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** Steps the host until it has nothing to do. */
export async function finish(host: FakeHost): Promise<void> {
  await settle();
  while (host.openCount > 0) {
    host.step();
    await settle();
  }
}
