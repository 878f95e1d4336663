// Reads from a running server what it recorded: its busiest hours before a test, and the test's own requests after it.
import type { LoadTestReport, RequestPage, RequestRow, SeriesAnswer, SeriesName, Slo, SlosAnswer, TimeRange } from '../contract.ts';
import { EngineError, fromWireError } from '../errors.ts';
import type { Door } from './exchange.ts';

/** As the API says it. */
type Refusal = Omit<Parameters<typeof fromWireError>[0], 'retryAfterSeconds'>;

const PAGE = 500;
/** Of one hour or one test. */
const MOST_ROWS = 50_000;
const LIMIT_MS = 60_000;

/** @throws EngineError that the server answers with, or `internal` when what answers is no such server */
async function read<T>({ url, headers }: Door, path: string): Promise<T> {
  const response = await fetch(url + path, { headers, signal: AbortSignal.timeout(LIMIT_MS) });
  const body = (await response.json().catch(() => ({}))) as T & { readonly error?: Refusal };
  if (body.error !== undefined) throw fromWireError({ ...body.error, retryAfterSeconds: null });
  if (!response.ok) throw new EngineError('internal', `${url}${path} answered ${response.status}.`);
  return body;
}

export async function readObjectives(door: Door): Promise<(model: string) => Slo> {
  const { fallback, models } = await read<SlosAnswer>(door, '/api/slos');
  const known = new Map(models.map(({ model, slo }) => [model, slo]));
  return (model) => known.get(model) ?? known.get(model.split(':')[0] ?? model) ?? fallback;
}

function readSeries(door: Door, range: TimeRange, wish: { names: readonly SeriesName[]; of: string; step: number }): Promise<SeriesAnswer> {
  const { names, of, step } = wish;
  return read(door, `/api/history/series?from=${range.fromMs}&to=${range.toMs}&names=${names.join(',')}&of=${of}&step=${step}`);
}

export async function readRows(door: Door, range: TimeRange, search: string | null): Promise<readonly RequestRow[]> {
  const rows: RequestRow[] = [];
  const filter = search === null ? '' : `&search=${encodeURIComponent(search)}`;
  for (let cursor: string | null = ''; cursor !== null && rows.length < MOST_ROWS;) {
    const from: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const path = `/api/history/requests?from=${range.fromMs}&to=${range.toMs}&limit=${PAGE}${filter}${from}`;
    const page: RequestPage = await read<RequestPage>(door, path);
    rows.push(...page.rows);
    cursor = page.cursor;
  }
  return rows;
}

const HOUR_MS = 3_600_000;
const DAYS_BACK = 30;

/** Hours of UTC with requests, the busiest first; the last 30 days. */
export async function busiestHours(door: Door, nowMs: number): Promise<readonly { readonly atMs: number; readonly requests: number }[]> {
  const range = { fromMs: Math.floor(nowMs / HOUR_MS) * HOUR_MS - DAYS_BACK * 24 * HOUR_MS, toMs: nowMs + 1 };
  const counts = new Map<number, number>();
  const { atMs, values } = await readSeries(door, range, { names: ['requests'], of: 'all', step: HOUR_MS });
  for (const [i, at] of atMs.entries()) counts.set(at, values.requests?.[i] ?? 0);
  return [...counts]
    .map(([at, requests]) => ({ atMs: at, requests }))
    .filter(({ requests }) => requests > 0)
    .sort((a, b) => b.requests - a.requests || b.atMs - a.atMs);
}

export interface Recorded {
  readonly rows: readonly RequestRow[];
  readonly mostWaiting: number | null;
  readonly memory: LoadTestReport['memory'];
}

const TRIES = 12;
const TRY_EVERY_MS = 500;

/** Of the test with this prefix of ids; waits some seconds until the server has written down `count` of them. */
export async function readRecorded(
  door: Door,
  range: TimeRange,
  wish: { readonly prefix: string; readonly count: number },
): Promise<Recorded> {
  let rows: readonly RequestRow[] = [];
  for (let i = 0; i < TRIES && rows.length < wish.count; i++) {
    if (i > 0) await new Promise((resolve) => setTimeout(resolve, TRY_EVERY_MS));
    rows = await readRows(door, { ...range, toMs: Date.now() + 1_000 }, wish.prefix);
  }
  const queue = await readSeries(door, range, { names: ['queueDepth'], of: 'all', step: 1_000 });
  const memory = await readSeries(door, range, { names: ['memoryUsedBytes'], of: 'cpu', step: 1_000 });
  const peakBytes = most(memory.values.memoryUsedBytes);
  return {
    rows,
    mostWaiting: most(queue.values.queueDepth),
    memory: peakBytes === null ? null : { peakBytes, totalBytes: null },
  };
}

function most(values: readonly (number | null)[] | undefined): number | null {
  const known = (values ?? []).filter((value) => value !== null);
  return known.length === 0 ? null : known.reduce((a, b) => Math.max(a, b));
}
