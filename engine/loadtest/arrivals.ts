// Decides when the requests of a synthetic profile are due: a Poisson process, its rate raised tenfold in bursts. Pure.
import type { LoadProfile } from '../contract.ts';
import type { PlannedRequest } from './replay.ts';

export type SyntheticProfile = Exclude<LoadProfile, { readonly kind: 'recorded' }>;

const BURST_TIMES = 10;
const BURST_MS = 5_000;
const BURST_EVERY_MS = 60_000;

/** By thinning (Lewis and Shedler, 1979): arrivals at the highest rate, each kept with the share that the rate has of it then. */
export function planArrivals(
  { kind, model, perSecond, promptTokens, answerTokens }: SyntheticProfile,
  { factor, windowMs, random }: { readonly factor: number; readonly windowMs: number; readonly random: () => number },
): readonly PlannedRequest[] {
  const mostTimes = kind === 'bursts' ? BURST_TIMES : 1;
  const meanGapMs = 1_000 / (perSecond * factor * mostTimes);
  const requests: PlannedRequest[] = [];
  for (let atMs = gap(meanGapMs, random); atMs < windowMs; atMs += gap(meanGapMs, random)) {
    const isKept = kind !== 'bursts' || isInBurst(atMs) || random() < 1 / BURST_TIMES;
    if (isKept) requests.push({ atMs, model, tenant: '', promptTokens, cachedTokens: 0, answerTokens });
  }
  return requests;
}

/** At the end of each half minute, so that a short test has one too. */
function isInBurst(atMs: number): boolean {
  const inMinute = atMs % BURST_EVERY_MS;
  return inMinute >= BURST_EVERY_MS / 2 - BURST_MS && inMinute < BURST_EVERY_MS / 2;
}

/** Exponentially distributed. */
function gap(meanMs: number, random: () => number): number {
  return -Math.log(1 - random()) * meanMs;
}
