// Decides whether a canary is promoted, taken back or goes on, from what both arms showed. Pure.
import type { CanaryArm, CanaryStatus, CanaryVerdict } from '../../contract.ts';

/** Answers that the other arm must have given before the two are compared. */
const LEAST_BASELINE = 10;
/** Failures below this may be chance, whatever their share. */
const LEAST_FAILURES = 3;
/** Share of failures that is borne where the other arm has answered too little to compare. */
const BORNE_FAILURES = 0.1;
/** How much slower it may be, times and ms: a first token's time is mostly the prompt's length. */
const SLOWER_FIRST = { times: 1.5, ms: 20 };
const SLOWER_TOKEN = { times: 1.25, ms: 1 };
const Z95 = 1.96;

export type CanaryFacts = Pick<CanaryStatus, 'canary' | 'baseline' | 'leastRequests' | 'quality'>;

/** Failures take it back at any time; slowness, and a promotion, wait for enough answers of both arms. */
export function decideCanary({ canary, baseline, leastRequests, quality }: CanaryFacts): CanaryVerdict {
  const failing = failsMore(canary, baseline);
  if (failing !== null) return { kind: 'rollback', reason: failing };
  if (canary.requests < leastRequests || baseline.requests < LEAST_BASELINE)
    return { kind: 'wait', reason: progress(canary, baseline, leastRequests) };
  const slow =
    slower(canary.ttftMs, baseline.ttftMs, SLOWER_FIRST, 'to the first token') ??
    slower(canary.tokenMs, baseline.tokenMs, SLOWER_TOKEN, 'a token');
  if (slow !== null) return { kind: 'rollback', reason: `${canary.variant} takes ${slow} of ${baseline.variant}.` };
  return { kind: 'promote', reason: `${summary(canary)}; ${summary(baseline)}. ${quality}` };
}

function progress(canary: CanaryArm, baseline: CanaryArm, leastRequests: number): string {
  const waits = [
    ...(canary.requests < leastRequests ? [`${canary.requests} of ${leastRequests} answers by ${canary.variant}`] : []),
    ...(baseline.requests < LEAST_BASELINE ? [`${baseline.requests} of ${LEAST_BASELINE} by ${baseline.variant}`] : []),
  ];
  return `${waits.join(', ')} so far.`;
}

/** Null: it does not, as far as one can tell. */
function failsMore(canary: CanaryArm, baseline: CanaryArm): string | null {
  if (canary.failures < LEAST_FAILURES) return null;
  const [least] = interval(canary);
  const borne = baseline.requests < LEAST_BASELINE ? BORNE_FAILURES : interval(baseline)[1];
  if (least <= borne) return null;
  const { variant, failures, requests } = baseline;
  return `${canary.failures} of ${canary.requests} requests failed on ${canary.variant}, ${failures} of ${requests} on ${variant}: more than chance.`;
}

/** The 95% interval of the share of failures (Wilson 1927). */
function interval({ failures, requests }: CanaryArm): readonly [number, number] {
  if (requests === 0) return [0, 1];
  const share = failures / requests;
  const square = Z95 ** 2 / requests;
  const middle = share + square / 2;
  const half = Z95 * Math.sqrt((share * (1 - share)) / requests + square / (4 * requests));
  return [(middle - half) / (1 + square), (middle + half) / (1 + square)];
}

/** In words; null: it is not. */
function slower(ms: number | null, thanMs: number | null, { times, ms: more }: typeof SLOWER_FIRST, what: string): string | null {
  if (ms === null || thanMs === null || ms <= thanMs * times + more) return null;
  return `${ms.toFixed(1)} ms ${what}, more than ${times} times the ${thanMs.toFixed(1)} ms`;
}

function summary({ variant, requests, failures, ttftMs, tokenMs }: CanaryArm): string {
  const times = [ms(ttftMs, 'to the first token'), ms(tokenMs, 'a token')].filter((words) => words !== '');
  return [`${variant}: ${failures} of ${requests} failed`, ...times].join(', ');
}

function ms(value: number | null, what: string): string {
  return value === null ? '' : `${value.toFixed(1)} ms ${what}`;
}
