// Where a finished request's milliseconds and cents went. Pure.
import type { RequestRow } from '../../../engine/contract.ts';

export interface RequestPart {
  readonly kind: 'load' | 'queue' | 'prefill' | 'first' | 'decode' | 'compute';
  readonly label: string;
  readonly startMs: number;
  readonly lengthMs: number;
}

/** In the order of time, without gaps; they add up to `totalMs`. A request that ended early has fewer. */
export function partsOf({ loadMs, queueMs, prefillMs, ttftMs, totalMs }: RequestRow): RequestPart[] {
  const parts: RequestPart[] = [];
  let at = 0;
  const add = (kind: RequestPart['kind'], label: string, endMs: number): void => {
    const end = Math.min(totalMs, Math.max(at, endMs));
    if (end > at) parts.push({ kind, label, startMs: at, lengthMs: end - at });
    at = end;
  };
  if (loadMs !== null) add('load', 'Load the model', loadMs);
  if (queueMs !== null) add('queue', 'Wait in the queue', queueMs);
  if (prefillMs !== null) add('prefill', 'Prefill', at + prefillMs);
  if (ttftMs !== null) {
    add('first', 'First token', ttftMs);
    add('decode', 'Decode and stream', totalMs);
  } else add('compute', 'Compute and answer', totalMs);
  return parts;
}

/** Energy, hardware and upstream together. */
export const costOf = ({ energyUsd, hardwareUsd, upstreamUsd }: RequestRow): number => energyUsd + hardwareUsd + upstreamUsd;
