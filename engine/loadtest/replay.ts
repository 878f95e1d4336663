// Decides which recorded requests are sent again and when: the busiest stretch of an hour, its time compressed by the factor. Pure.
import type { RequestRow } from '../contract.ts';

/** Of ids that a load test gives its requests: they are no load of users. */
export const OWN_REQUEST_PREFIX = 'loadtest-';

export interface PlannedRequest {
  /** When it is due, ms since the start of the test. */
  readonly atMs: number;
  readonly model: string;
  readonly tenant: string;
  readonly promptTokens: number;
  /** Of these, what the prefix cache had. */
  readonly cachedTokens: number;
  /** At least 1. */
  readonly answerTokens: number;
}

export interface Replay {
  /** By `atMs`. */
  readonly requests: readonly PlannedRequest[];
  readonly leftOut: readonly { readonly reason: string; readonly count: number }[];
}

const WRITING: ReadonlySet<string> = new Set(['/v1/chat/completions', '/v1/completions', '/v1/responses', '/api/chat', '/api/generate']);

/** `windowMs` is how long the test sends; it replays `windowMs * factor` of the record. */
export function planReplay(rows: readonly RequestRow[], factor: number, windowMs: number): Replay {
  const sent: RequestRow[] = [];
  const leftOut = new Map<string, number>();
  for (const row of rows) {
    const reason = reasonToLeaveOut(row);
    if (reason === null) sent.push(row);
    else leftOut.set(reason, (leftOut.get(reason) ?? 0) + 1);
  }
  const ordered = sent.toSorted((a, b) => a.atMs - b.atMs);
  return {
    requests: busiest(ordered, windowMs * factor).map((row, _, stretch) => planned(row, (row.atMs - (stretch[0]?.atMs ?? 0)) / factor)),
    leftOut: [...leftOut].map(([reason, count]) => ({ reason, count })),
  };
}

function reasonToLeaveOut(row: RequestRow): string | null {
  if (row.requestId.startsWith(OWN_REQUEST_PREFIX)) return 'sent by a load test';
  if (row.endpoint === '/v1/batches') return 'rows of batches, which wait for spare capacity';
  if (!WRITING.has(row.endpoint)) return 'no text is written';
  if (row.upstreamUsd > 0) return 'answered by a paid upstream';
  if (row.cache === 'hit' || row.cache === 'semantic') return 'answered from the cache';
  return row.promptTokens === 0 ? 'ended before their length was known' : null;
}

/** The stretch of this length, begun by one of the arrivals, that holds most of them; the earliest of several. */
function busiest(rows: readonly RequestRow[], spanMs: number): readonly RequestRow[] {
  let [from, to, end] = [0, 0, 0];
  for (const [start, { atMs }] of rows.entries()) {
    while ((rows[end]?.atMs ?? Infinity) < atMs + spanMs) end++;
    if (end - start > to - from) [from, to] = [start, end];
  }
  return rows.slice(from, to);
}

/** What was routed is sent to the model that answered: the router might send synthetic text to an upstream that costs money. */
function planned({ routeReason, model, modelAsked, tenant, ...tokens }: RequestRow, atMs: number): PlannedRequest {
  const { promptTokens, cachedTokens, completionTokens } = tokens;
  const asked = routeReason === null ? modelAsked : (model ?? modelAsked);
  return { atMs, model: asked, tenant, promptTokens, cachedTokens, answerTokens: Math.max(1, completionTokens) };
}
