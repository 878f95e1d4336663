// How a request says what its answer may cost, how soon it should come and how good it must be; and how the answer's headers say
// which model gave it: `x-millrace-model`, `-tier`, `-route`, `-degraded`.
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { RouteAsk, RouteReport } from '../fleet/host.ts';
import { invalid } from './openai/faults.ts';

interface Hint {
  /** Also its name in `metadata`, without `x-`. */
  readonly header: string;
  readonly least: number;
  readonly most: number;
  readonly limit: string;
}

const HINTS = {
  budgetUsd: { header: 'x-millrace-budget', least: 0, most: 1e6, limit: 'an amount in USD' },
  maxLatencyMs: { header: 'x-millrace-max-latency-ms', least: 1, most: 3_600_000, limit: 'a time from 1 to 3600000 ms' },
  quality: { header: 'x-millrace-quality', least: 0, most: 1, limit: 'a share from 0 to 1' },
} as const satisfies Record<string, Hint>;

type Hints = Pick<RouteAsk, keyof typeof HINTS>;

/** Response headers that a page of another origin may read. */
export const ROUTE_HEADERS = ['x-millrace-model', 'x-millrace-tier', 'x-millrace-route', 'x-millrace-degraded'] as const;

/** Header values are Latin-1, and clients' limits on headers small. */
const REASON_CHARS = 300;

/** The hints of a request; a header goes before `metadata`. @throws EngineError `invalid_request` naming the hint */
export function readHints({ headers, body }: Pick<FastifyRequest, 'headers' | 'body'>): Hints {
  const metadata = metadataOf(body);
  const read = ({ header, least, most, limit }: Hint): number | null => {
    const given = headers[header] ?? metadata[header.slice(2)];
    if (given === undefined || given === null) return null;
    const value = typeof given === 'string' && /^\s*\d{1,12}(\.\d{1,12})?\s*$/.test(given) ? Number(given) : given;
    if (typeof value !== 'number' || !(value >= least && value <= most)) throw invalid(header, `${header} must be ${limit}.`);
    return value;
  };
  return { budgetUsd: read(HINTS.budgetUsd), maxLatencyMs: read(HINTS.maxLatencyMs), quality: read(HINTS.quality) };
}

/** `onRoute` hears of each model that answers, after the headers are set. */
export function routeAsk(request: FastifyRequest, reply: FastifyReply, onRoute: (report: RouteReport) => void): RouteAsk {
  return {
    requestId: request.id,
    ...readHints(request),
    onRoute: (report) => {
      if (!reply.sent && !reply.raw.headersSent) setHeaders(reply, report);
      onRoute(report);
    },
  };
}

function setHeaders(reply: FastifyReply, { name, tier, reason, isDegraded }: RouteReport): void {
  void reply.headers({
    'x-millrace-model': plain(name),
    ...(tier === null ? {} : { 'x-millrace-tier': tier }),
    'x-millrace-route': plain(reason),
    'x-millrace-degraded': String(isDegraded),
  });
}

/** A comment in the stream, where the headers have left. */
export function continuedComment({ name, reason }: RouteReport): string {
  return `: continued by ${plain(name)}: ${plain(reason)}\n\n`;
}

/** Names come from users. */
function plain(text: string): string {
  return text
    .replaceAll('’', "'")
    .replaceAll(/[^\x20-\x7e]/g, '?')
    .slice(0, REASON_CHARS);
}

function metadataOf(body: unknown): Readonly<Record<string, unknown>> {
  if (typeof body !== 'object' || body === null || !('metadata' in body)) return {};
  const { metadata } = body;
  return typeof metadata === 'object' && metadata !== null ? (metadata as Record<string, unknown>) : {};
}
