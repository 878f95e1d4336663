// Owns how a request lies in its table: words as numbers, times in µs, money in 1e-12 USD, a UUID as 16 bytes. And back.
import type { CacheUse, Outcome, RequestRow } from '../../contract.ts';
import type { RequestRecord } from '../ledger.ts';
import type { WordReader, WordWriter } from './words.ts';

export const PICO = 1e12;
/** Requests that may end in one ms before their ids touch the next. */
export const IDS_PER_MS = 256;

/** Lowest id of a request that ended at this moment or later. */
export const firstIdAt = (ms: number): number => Math.ceil(ms) * IDS_PER_MS;
/** The ms in which the request of this id ended. */
export const endOfId = (id: number): number => Math.floor(id / IDS_PER_MS);

/** The table's columns but `id`, in the table's names. */
export interface RequestCells {
  readonly request_id: string | Buffer;
  readonly tenant: number;
  readonly key: number;
  readonly endpoint: number;
  readonly model: number;
  readonly model_asked: number | string;
  readonly variant: number;
  readonly precision: number;
  readonly device: number;
  readonly route_reason: number | string;
  readonly cache: number;
  readonly outcome: number;
  readonly error_code: number;
  readonly streamed: number;
  readonly status: number;
  readonly queue_us: number | null;
  readonly load_us: number | null;
  readonly prefill_us: number | null;
  readonly ttft_us: number | null;
  readonly inter_token_p50_us: number | null;
  readonly inter_token_p99_us: number | null;
  readonly total_us: number;
  readonly prompt_tokens: number;
  readonly cached_tokens: number;
  readonly completion_tokens: number;
  readonly mean_batch_milli: number | null;
  readonly device_us: number;
  readonly energy_uj: number;
  readonly energy_pico: number;
  readonly hardware_pico: number;
  readonly upstream_pico: number;
  readonly premium_pico: number | null;
}

export type StoredRequest = RequestCells & { readonly id: number };

export const REQUEST_COLUMNS = [
  'request_id',
  'tenant',
  'key',
  'endpoint',
  'model',
  'model_asked',
  'variant',
  'precision',
  'device',
  'route_reason',
  'cache',
  'outcome',
  'error_code',
  'streamed',
  'status',
  'queue_us',
  'load_us',
  'prefill_us',
  'ttft_us',
  'inter_token_p50_us',
  'inter_token_p99_us',
  'total_us',
  'prompt_tokens',
  'cached_tokens',
  'completion_tokens',
  'mean_batch_milli',
  'device_us',
  'energy_uj',
  'energy_pico',
  'hardware_pico',
  'upstream_pico',
  'premium_pico',
] as const satisfies readonly (keyof RequestCells)[];

export function toCells(record: RequestRecord, words: WordWriter): RequestCells {
  return {
    request_id: packRequestId(record.requestId),
    tenant: words.idOf(record.tenant),
    key: words.idOf(record.key),
    endpoint: words.idOf(record.endpoint),
    model: words.idOf(record.model),
    model_asked: words.idOrText(record.modelAsked),
    variant: words.idOf(record.variant),
    precision: words.idOf(record.precision),
    device: words.idOf(record.device),
    route_reason: words.idOrText(record.routeReason),
    cache: words.idOf(record.cache),
    outcome: words.idOf(record.outcome),
    error_code: words.idOf(record.errorCode),
    streamed: record.streamed ? 1 : 0,
    status: whole(record.status, 1),
    queue_us: wholeOrNull(record.queueMs, 1000),
    load_us: wholeOrNull(record.loadMs, 1000),
    prefill_us: wholeOrNull(record.prefillMs, 1000),
    ttft_us: wholeOrNull(record.ttftMs, 1000),
    inter_token_p50_us: wholeOrNull(record.interTokenP50Ms, 1000),
    inter_token_p99_us: wholeOrNull(record.interTokenP99Ms, 1000),
    total_us: whole(record.totalMs, 1000),
    prompt_tokens: whole(record.promptTokens, 1),
    cached_tokens: whole(record.cachedTokens, 1),
    completion_tokens: whole(record.completionTokens, 1),
    mean_batch_milli: wholeOrNull(record.meanBatch, 1000),
    device_us: whole(record.deviceMs, 1000),
    energy_uj: whole(record.energyJoules, 1e6),
    energy_pico: whole(record.energyUsd, PICO),
    hardware_pico: whole(record.hardwareUsd, PICO),
    upstream_pico: whole(record.upstreamUsd, PICO),
    premium_pico: wholeOrNull(record.premiumUsd, PICO),
  };
}

/** The time that decides about every step: to the ms, and the same from the record and from its row. */
export const endMsOf = (atMs: number, totalUs: number): number => Math.round(atMs) + Math.round(totalUs / 1000);

export function fromCells(row: StoredRequest, words: WordReader): RequestRow {
  const word = (cell: number | string): string => words.wordOf(cell) ?? '';
  return {
    rowId: row.id,
    requestId: unpackRequestId(row.request_id),
    atMs: endOfId(row.id) - Math.round(row.total_us / 1000),
    tenant: word(row.tenant),
    key: words.wordOf(row.key),
    endpoint: word(row.endpoint),
    streamed: row.streamed === 1,
    modelAsked: word(row.model_asked),
    model: words.wordOf(row.model),
    variant: words.wordOf(row.variant),
    precision: words.wordOf(row.precision),
    device: words.wordOf(row.device),
    routeReason: words.wordOf(row.route_reason),
    queueMs: scaled(row.queue_us, 1000),
    loadMs: scaled(row.load_us, 1000),
    prefillMs: scaled(row.prefill_us, 1000),
    ttftMs: scaled(row.ttft_us, 1000),
    interTokenP50Ms: scaled(row.inter_token_p50_us, 1000),
    interTokenP99Ms: scaled(row.inter_token_p99_us, 1000),
    totalMs: row.total_us / 1000,
    promptTokens: row.prompt_tokens,
    cachedTokens: row.cached_tokens,
    completionTokens: row.completion_tokens,
    meanBatch: scaled(row.mean_batch_milli, 1000),
    cache: words.wordOf(row.cache) as CacheUse | null,
    deviceMs: row.device_us / 1000,
    energyJoules: row.energy_uj / 1e6,
    energyUsd: row.energy_pico / PICO,
    hardwareUsd: row.hardware_pico / PICO,
    upstreamUsd: row.upstream_pico / PICO,
    premiumUsd: scaled(row.premium_pico, PICO),
    status: row.status,
    outcome: word(row.outcome) as Outcome,
    errorCode: words.wordOf(row.error_code),
  };
}

/** A figure in whole units; one that is not finite must not stop the batch it is in, and counts as 0. */
export const whole = (value: number, units: number): number => (Number.isFinite(value) ? Math.round(value * units) : 0);

const wholeOrNull = (value: number | null, units: number): number | null =>
  value === null || !Number.isFinite(value) ? null : Math.round(value * units);

const scaled = (value: number | null, units: number): number | null => (value === null ? null : value / units);

/** What the gateway's own ids begin with; a UUID follows. */
export const OWN_ID_PREFIX = 'req_';
const OWN_ID = /^req_([0-9a-f]{8})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{12})$/;

/** Our own ids are 16 bytes; those that clients brought are kept as text. */
function packRequestId(text: string): string | Buffer {
  const parts = OWN_ID.exec(text);
  return parts === null ? text : Buffer.from(parts.slice(1).join(''), 'hex');
}

function unpackRequestId(cell: string | Buffer): string {
  if (typeof cell === 'string') return cell;
  const hex = cell.toString('hex');
  const parts = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)];
  return OWN_ID_PREFIX + parts.join('-');
}
