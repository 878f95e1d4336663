// Owns the grains of history and which of them answers a question. Pure.
import type { SeriesStepMs, TimeRange } from '../../contract.ts';
import { EngineError } from '../../errors.ts';

/** Every grain, finest first; its place in this list is its number in the database. */
export const STEPS_MS = [1_000, 60_000, 3_600_000, 86_400_000] as const satisfies readonly SeriesStepMs[];

const MAX_POINTS = 1_500;

/** Start of the step that holds a moment. Steps are aligned to 1970 in UTC. */
export const stepStart = (atMs: number, stepMs: number): number => Math.floor(atMs / stepMs) * stepMs;

/** The finest step that gives at most 1,500 points, or the one asked for.
 *  @throws EngineError `invalid_request` for a range that is empty or has more points than that */
export function chooseStep(range: TimeRange, asked: SeriesStepMs | null): SeriesStepMs {
  checkRange(range);
  const step = asked ?? STEPS_MS.find((stepMs) => pointCount(range, stepMs) <= MAX_POINTS) ?? 86_400_000;
  const count = pointCount(range, step);
  if (count <= MAX_POINTS) return step;
  const message = `step must be longer for this range: ${count} points, at most ${MAX_POINTS} are given.`;
  throw new EngineError('invalid_request', message, { param: 'step' });
}

/** Starts of the steps that lie in the range, the first and the last in part. */
export function stepStarts(range: TimeRange, stepMs: number): readonly number[] {
  const first = stepStart(range.fromMs, stepMs);
  return Array.from({ length: pointCount(range, stepMs) }, (_, at) => first + at * stepMs);
}

/** @throws EngineError `invalid_request` */
export function checkRange({ fromMs, toMs }: TimeRange): void {
  const isValid = Number.isFinite(fromMs) && Number.isFinite(toMs) && fromMs >= 0 && toMs > fromMs && toMs < 8.64e15;
  if (!isValid) throw new EngineError('invalid_request', 'to must be later than from; both in ms since 1970.', { param: 'from' });
}

const pointCount = ({ fromMs, toMs }: TimeRange, stepMs: number): number => Math.ceil(toMs / stepMs) - Math.floor(fromMs / stepMs);
