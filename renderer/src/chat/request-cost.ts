// Asks the ledger what one request cost. A request is written within a second or so of its end, so it is asked for a few times.
import type { RequestPage } from '../../../engine/contract.ts';
import { call, withQuery } from '../api/client.ts';

/** Doubling, so that a busy machine has a minute. */
const WAITS_MS = [300, 700, 1_500, 3_000, 6_000, 12_000, 24_000];

/** US dollars; null when the ledger does not know the request, or cannot be asked. */
export async function findCost(requestId: string, askedAtMs: number): Promise<number | null> {
  for (const waitMs of WAITS_MS) {
    await new Promise((resolve) => setTimeout(resolve, waitMs));
    const page = await readPage(requestId, askedAtMs);
    const row = page?.rows.find((each) => each.requestId === requestId);
    if (row !== undefined) return row.energyUsd + row.hardwareUsd + row.upstreamUsd;
  }
  return null;
}

/** The clocks of the page and of the engine may differ by so much. */
const MARGIN_MS = 3_600_000;

async function readPage(requestId: string, askedAtMs: number): Promise<RequestPage | null> {
  const range = { from: Math.floor(askedAtMs - MARGIN_MS), to: Math.ceil(Date.now() + MARGIN_MS) };
  try {
    return await call<RequestPage>(withQuery('/api/history/requests', { ...range, search: requestId, limit: 1 }));
  } catch {
    return null; // A cost that cannot be read is shown as unknown.
  }
}
