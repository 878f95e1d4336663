// Words and tones of verdicts, and what changed between two reports. Pure.
import type { LoadTestRun, LoadTestSummary, LoadVerdict } from '../../../engine/contract.ts';
import type { Tone } from '../parts/status.tsx';

export const VERDICT_TONES: Readonly<Record<LoadVerdict, Tone>> = { passed: 'ok', failed: 'problem', inconclusive: 'warning' };

/** `2× recorded peak, 5 min` */
export function askedWords({ profile, factor, minutes, url }: LoadTestRun['asked']): string {
  const what = { recorded: 'recorded peak', poisson: 'random arrivals', bursts: 'bursts' }[profile.kind];
  return `${factor}× ${what}, ${Number(minutes.toPrecision(2))} min${url === null ? '' : `, ${url}`}`;
}

/** `Goodput 12% higher, first token p99 30% shorter`; null where nothing can be held against each other. */
export function changeWords(now: LoadTestSummary, before: LoadTestSummary): string | null {
  const parts = [
    change('goodput', now.goodput.requestsPerSecond, before.goodput.requestsPerSecond, ['higher', 'lower']),
    change('first token p99', now.ttft.p99, before.ttft.p99, ['longer', 'shorter']),
    change('between tokens p99', now.interToken.p99, before.interToken.p99, ['longer', 'shorter']),
  ].filter((part) => part !== null);
  return parts.length === 0 ? null : parts.join(', ');
}

function change(name: string, now: number | null, before: number | null, [more, less]: readonly [string, string]): string | null {
  if (now === null || before === null || before === 0) return null;
  const percent = Math.round((now / before - 1) * 100);
  return percent === 0 ? `${name} the same` : `${name} ${Math.abs(percent)}% ${percent > 0 ? more : less}`;
}
