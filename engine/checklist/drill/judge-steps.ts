// Decides what the probes of a drill's step mean, in the words of somebody who was served. Pure.
import type { DrillProbe, DrillStep } from '../../contract.ts';

const isAnswered = ({ status, errorCode }: DrillProbe): boolean => status === 200 && errorCode === null;
const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

/** `hit`: the request that was being answered; `next`: the one after it. */
export function judgeRunnerDeath(hit: DrillProbe, next: DrillProbe, recoveryMs: number): DrillStep {
  const probes = [hit, next];
  const met = isAnswered(hit)
    ? `The answer under way went on after a pause and took ${seconds(hit.totalMs)} in all.`
    : `The answer under way ended with ${hit.errorCode ?? hit.status}.`;
  if (!isAnswered(next)) {
    const sentence = `${met} The next request failed too, with ${next.errorCode ?? next.status}.`;
    return { step: 'runner_death', verdict: 'failed', sentence, recoveryMs: null, probes };
  }
  const sentence = `${met} The next request was answered ${seconds(recoveryMs)} after the model's process died.`;
  // An answer that is cut must say so: silence would pass for a whole answer.
  const verdict = isAnswered(hit) || hit.errorCode !== 'answer_cut' ? 'passed' : 'failed';
  return { step: 'runner_death', verdict, sentence, recoveryMs, probes };
}

/** `refused`: what those saw for whom there was no room; `sent`: all of the flood; `after`: one request after it. */
export function judgeFullQueue(refused: readonly DrillProbe[], sent: number, after: DrillProbe): DrillStep {
  const probes = [...refused.slice(0, 3), after];
  const wrong = refused.find(({ status }) => status !== 429 && status !== 503);
  const base = { step: 'full_queue', recoveryMs: null, probes } as const;
  if (wrong !== undefined)
    return {
      ...base,
      verdict: 'failed',
      sentence: `One of ${sent} requests at once ended with ${wrong.errorCode ?? wrong.status}, not with a refusal that says when to come back.`,
    };
  if (!isAnswered(after))
    return {
      ...base,
      verdict: 'failed',
      sentence: `After ${sent} requests at once the server did not answer: ${after.errorCode ?? after.status}.`,
    };
  const met = refused.length === 0 ? 'all were taken in' : `${refused.length} were told to come back later`;
  return {
    ...base,
    verdict: 'passed',
    sentence: `Of ${sent} requests at once ${met}; the next one after them was answered within ${seconds(after.totalMs)}.`,
  };
}

export function judgeUpstreamCut(upstream: string, during: DrillProbe): DrillStep {
  const base = { step: 'upstream_cut', recoveryMs: null, probes: [during] } as const;
  if (!isAnswered(during))
    return {
      ...base,
      verdict: 'failed',
      sentence: `Without ${upstream} requests end with ${during.errorCode ?? during.status}: no other model takes over.`,
    };
  return {
    ...base,
    verdict: 'passed',
    sentence: `Without ${upstream} ${during.model ?? 'another model'} answered instead, after ${seconds(during.ttftMs ?? during.totalMs)}.`,
  };
}

export function skipped(step: DrillStep['step'], sentence: string): DrillStep {
  return { step, verdict: 'skipped', sentence, recoveryMs: null, probes: [] };
}
