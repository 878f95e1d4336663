// Sends the requests of a plan when they are due, whatever the server does (an open loop), so that its slowness shows in the figures.
// Every time is taken from the moment at which the request was due: nothing is omitted while the server stalls.
import { setTimeout as delay } from 'node:timers/promises';
import { exchange, type ChatWish, type Door, type Exchange } from './exchange.ts';

export interface DueRequest extends ChatWish {
  /** Since the start of the sending. */
  readonly atMs: number;
}

/** What became of a request; times in ms since the start of the sending. */
export interface Sample extends Omit<Exchange, 'sentMs' | 'firstMs' | 'endMs'> {
  readonly id: string;
  readonly model: string;
  readonly dueMs: number;
  readonly sentMs: number;
  readonly firstMs: number | null;
  readonly endMs: number;
}

export interface SendOptions {
  readonly door: Door;
  /** Ends it all; requests under way fail. */
  readonly signal: AbortSignal;
  /** How long answers are awaited after the last request was due. */
  readonly patienceMs: number;
  readonly onSent?: () => void;
  readonly onSample?: (sample: Sample) => void;
}

/** In the order of the plan; those that were not due when the signal came are missing. */
export async function sendAll(plan: readonly DueRequest[], options: SendOptions): Promise<readonly Sample[]> {
  const startedMs = performance.now();
  const late = new AbortController();
  const signal = AbortSignal.any([options.signal, late.signal]);
  const samples: Promise<Sample>[] = [];
  for (const due of plan) {
    if (!(await reached(startedMs + due.atMs, options.signal))) break;
    samples.push(sendOne(due, { ...options, signal }, startedMs));
    options.onSent?.();
  }
  const reason = new Error(`No end within ${Math.round(options.patienceMs / 1000)} s after the last request.`);
  const patience = setTimeout(() => late.abort(reason), options.patienceMs);
  try {
    return await Promise.all(samples);
  } finally {
    clearTimeout(patience);
  }
}

/** False when the signal came first. */
async function reached(atMs: number, signal: AbortSignal): Promise<boolean> {
  const aheadMs = atMs - performance.now();
  if (aheadMs > 0) await delay(aheadMs, undefined, { signal }).catch(() => undefined);
  return !signal.aborted;
}

async function sendOne(due: DueRequest, { door, signal, onSample }: SendOptions, startedMs: number): Promise<Sample> {
  const { sentMs, firstMs, endMs, ...rest } = await exchange(door, due, signal);
  const sample = {
    ...rest,
    id: due.id,
    model: due.model,
    dueMs: due.atMs,
    sentMs: sentMs - startedMs,
    firstMs: firstMs === null ? null : firstMs - startedMs,
    endMs: endMs - startedMs,
  };
  onSample?.(sample);
  return sample;
}
