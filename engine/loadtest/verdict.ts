// Decides whether a load test was passed, what gave way first and what to change, in words. Pure.
import type { LoadPoint, LoadTestReport } from '../contract.ts';
import type { Cause } from './judge.ts';
import type { Judged } from './report.ts';

/** Of the requests that were planned. */
export const PASS_SHARE = 0.99;
/** Fewer say nothing about their hundredth. */
const LEAST_REQUESTS = 20;
/** Sent later than this, in the 99th percentile, the load was not the one that was planned. */
const MOST_LATE_MS = 100;
/** Of memory: no room for another slot or model. */
const FULL_SHARE = 0.9;

export interface VerdictFacts extends Pick<LoadTestReport, 'requests' | 'queue' | 'errors' | 'memory'> {
  readonly factor: number;
  readonly judged: readonly Judged[];
  readonly timeline: readonly LoadPoint[];
  readonly late: LoadTestReport['generator']['late'];
}

export type Verdict = Pick<LoadTestReport, 'verdict' | 'sentence' | 'firstToGive'>;

export function decideVerdict(facts: VerdictFacts): Verdict {
  const { requests, late, factor } = facts;
  const share = requests.planned === 0 ? 0 : requests.good / requests.planned;
  const firstToGive = firstToGiveOf(facts, share);
  const load = factor === 1 ? 'at the planned load' : `at ${factor} times the load`;
  const told = `${percent(share)} of ${requests.planned} requests kept their objectives`;
  if ((late.p99 ?? 0) > MOST_LATE_MS)
    return { verdict: 'inconclusive', sentence: `Not decided ${load}: the generator itself sent late.`, firstToGive };
  if (requests.sent < requests.planned || requests.planned < LEAST_REQUESTS)
    return { verdict: 'inconclusive', sentence: `Not decided ${load}: ${tooFew(requests)}; ${told}.`, firstToGive };
  if (share >= PASS_SHARE) return { verdict: 'passed', sentence: `Passed ${load}: ${told}.`, firstToGive };
  return { verdict: 'failed', sentence: `Failed ${load}: ${told}, of ${percent(PASS_SHARE)} needed. ${firstToGive.sentence}`, firstToGive };
}

function tooFew({ sent, planned }: VerdictFacts['requests']): string {
  return sent < planned ? `${sent} of ${planned} requests were sent` : `${planned} requests are fewer than the ${LEAST_REQUESTS} it takes`;
}

/** The commonest cause in the first step of the test that fell short. */
function firstToGiveOf(facts: VerdictFacts, share: number): LoadTestReport['firstToGive'] {
  const { late, timeline, judged } = facts;
  if ((late.p99 ?? 0) > MOST_LATE_MS) return lateGenerator(late.p99 ?? 0);
  const first = share >= PASS_SHARE ? undefined : timeline.find(({ due, good }) => due > 0 && good < due * PASS_SHARE);
  if (first === undefined)
    return { what: 'nothing', atMs: null, sentence: 'Nothing gave way.', advice: 'Nothing needs to change for this load.' };
  const toMs = timeline[timeline.indexOf(first) + 1]?.atMs ?? Infinity;
  const causes = judged.flatMap(({ cause, sample }) =>
    cause !== null && sample.dueMs >= first.atMs && sample.dueMs < toMs ? [cause] : [],
  );
  const what = commonest(causes) ?? 'errors';
  return {
    what,
    atMs: first.atMs,
    sentence: `${SENTENCES[what]} from second ${Math.round(first.atMs / 1_000)} on.`,
    advice: adviceOn(what, facts),
  };
}

const SENTENCES: Readonly<Record<Cause, string>> = {
  queue: 'The queue gave way first: requests waited for a slot beyond their objective',
  prefill: 'Prefill gave way first: reading the prompts took longer than the objective for the first token',
  decode: 'Decoding gave way first: tokens came further apart than the objective',
  refusals: 'The server refused requests (429 or 503) first',
  errors: 'Requests failed first',
};

function adviceOn(what: Cause, { errors, memory }: VerdictFacts): string {
  const isFull = memory !== null && memory.totalBytes !== null && memory.peakBytes > memory.totalBytes * FULL_SHARE;
  switch (what) {
    case 'queue':
      return isFull
        ? 'Memory is full: serve a smaller precision or an 8-bit KV cache, which leaves room for more slots, or add a second machine.'
        : 'Give the model more slots (--slots), serve a smaller precision or model, or add a second machine behind the load balancer.';
    case 'prefill':
      return 'Shorten the shared part of prompts or let the prefix cache keep it, serve a smaller model or precision, or use more threads.';
    case 'decode':
      return 'Too many sequences share a step: allow fewer slots (--slots), serve a smaller precision, or add a second machine.';
    case 'refusals':
      return 'Allow a longer queue (--queue) or higher limits of the key when waiting is better than a refusal; else add capacity.';
    case 'errors':
      return `Mend what fails first: ${errors[0]?.message ?? 'see the log of the server.'}`;
  }
}

function lateGenerator(lateMs: number): LoadTestReport['firstToGive'] {
  return {
    what: 'generator',
    atMs: null,
    sentence: `One request in a hundred was sent ${Math.round(lateMs)} ms late or more.`,
    advice: 'Send from another machine, or at a smaller factor: this one has no processor left to send in time.',
  };
}

function commonest(causes: readonly Cause[]): Cause | null {
  const groups = [...Map.groupBy(causes, (cause) => cause).values()].sort((a, b) => b.length - a.length);
  return groups[0]?.[0] ?? null;
}

/** `99%`, `98.7%`; never rounded up to a whole that was not reached. */
function percent(share: number): string {
  return `${Math.floor(share * 1_000) / 10}%`;
}
