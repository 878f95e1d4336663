// A load test's report in words for the terminal, with what changed since the last one. Pure.
import type { LoadTestReport, LoadTestSummary, Percentiles } from '../contract.ts';

export function reportText(report: LoadTestReport, before: LoadTestSummary | null): string {
  const { verdict, sentence, source, requests, goodput, throughput, ttft, interToken, total, firstToGive, generator } = report;
  const lines = [
    `${verdict.toUpperCase()}  ${sentence}`,
    `Sent       ${source}: ${requests.sent} of ${requests.planned} requests, ${requests.ok} answered, ${requests.failed} failed`,
    ...report.leftOut.map(({ reason, count }) => `           ${count} left out: ${reason}`),
    `Goodput    ${rate(goodput.requestsPerSecond)} requests/s, ${rate(goodput.tokensPerSecond)} tokens/s within the objectives`,
    `Throughput ${rate(throughput.requestsPerSecond)} requests/s, ${rate(throughput.tokensPerSecond)} tokens/s`,
    `TTFT       ${times(ttft)}`,
    `Between    ${times(interToken)}`,
    `Total      ${times(total)}`,
    ...queueLines(report),
    ...report.errors.map(({ status, message, count }) => `Error      ${count} × ${status === 0 ? 'no answer' : status}: ${message}`),
    `First      ${firstToGive.sentence}`,
    `To do      ${firstToGive.advice}`,
    `Generator  late p99 ${ms(generator.late.p99)}, ${generator.cores.toFixed(2)} cores`,
    ...(before === null ? [] : [`Last time  ${comparison(report, before)}`]),
  ];
  return lines.join('\n');
}

function queueLines({ queue, memory, cost }: LoadTestReport): readonly string[] {
  return [
    ...(queue === null
      ? []
      : [`Queue      wait p50 ${ms(queue.waitP50Ms)}, p99 ${ms(queue.waitP99Ms)}, at most ${queue.mostWaiting ?? '-'} waiting`]),
    ...(memory === null
      ? []
      : [
          `Memory     ${gigabytes(memory.peakBytes)} at its height${memory.totalBytes === null ? '' : ` of ${gigabytes(memory.totalBytes)}`}`,
        ]),
    ...(cost === null ? [] : [`Cost       $${cost.usd.toPrecision(3)}, $${cost.usdPerRequest.toPrecision(3)} a request`]),
  ];
}

/** `passed; goodput +12%, TTFT p99 -30%`: figures of now against those of then. */
export function comparison(now: Pick<LoadTestReport, 'goodput' | 'ttft' | 'interToken'>, before: LoadTestSummary): string {
  const parts = [
    ['goodput', now.goodput.requestsPerSecond, before.goodput.requestsPerSecond],
    ['TTFT p99', now.ttft.p99, before.ttft.p99],
    ['between tokens p99', now.interToken.p99, before.interToken.p99],
  ] as const;
  const changes = parts.flatMap(([name, value, then]) => {
    if (value === null || then === null || then === 0) return [];
    const percent = Math.round((value / then - 1) * 100);
    return [`${name} ${percent > 0 ? '+' : ''}${percent}%`];
  });
  return [`${before.verdict}`, changes.join(', ')].filter((part) => part !== '').join('; ');
}

function times({ p50, p95, p99, max }: Percentiles): string {
  return `p50 ${ms(p50)}, p95 ${ms(p95)}, p99 ${ms(p99)}, most ${ms(max)}`;
}

export function ms(value: number | null): string {
  if (value === null) return '-';
  return value < 1_000 ? `${value < 10 ? value.toFixed(1) : Math.round(value)} ms` : `${(value / 1_000).toFixed(2)} s`;
}

const rate = (value: number): string => String(Number(value.toPrecision(3)));
const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`;
