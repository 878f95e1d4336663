// Decides whether the server is known to bear what may come: twice its peak, and faults. Pure.
import type { Evidence } from '../evidence.ts';
import { ago, daysSince, type Finding } from '../judge.ts';

/** Older results are about another server: models, load and settings change. */
const FRESH_DAYS = 30;

export function loadTest({ loadTest: last, atMs }: Evidence): Finding {
  const remedy = { kind: 'load_test', label: 'Load test at 2×' } as const;
  if (last === null)
    return { state: 'bad', figure: 'Never run', sentence: 'Nobody knows whether this server bears twice its peak.', remedy };
  const figure = `${last.passed ? 'Passed' : 'Failed'} ${ago(last.endedMs, atMs)}`;
  if (!last.passed) return { state: 'bad', figure, sentence: last.verdict, remedy };
  if (daysSince(last.endedMs, atMs) <= FRESH_DAYS) return { state: 'good', figure, sentence: last.verdict, remedy: null };
  return { state: 'attention', figure, sentence: `It is older than ${FRESH_DAYS} days. ${last.verdict}`, remedy };
}

/** To the first token, when one click sets a goal. */
const GOAL_MS = 5_000;

export function degradation(evidence: Evidence): Finding {
  const { settings, routing: router, drill, atMs } = evidence;
  const { degrade, latencyGoalMs } = settings.routing;
  if (!degrade || latencyGoalMs === null) {
    return {
      state: 'bad',
      figure: 'Off',
      sentence: 'Under load every request waits for its model, however long.',
      remedy: {
        kind: 'settings',
        label: 'Let a smaller model help out',
        done: `Where the first token would take more than ${(latencyGoalMs ?? GOAL_MS) / 1000} s a smaller model answers.`,
        patch: { routing: { degrade: true, latencyGoalMs: latencyGoalMs ?? GOAL_MS } },
        undo: { routing: { degrade, latencyGoalMs } },
      },
    };
  }
  const alone = (router?.targets ?? 0) < 2 ? ' With a single target there is nothing smaller to fall back on.' : '';
  const remedy = { kind: 'drill', label: 'Run the drill' } as const;
  if (drill === null) return { state: 'attention', figure: 'On, never drilled', sentence: `It has not been tried.${alone}`, remedy };
  const figure = `On, drill ${drill.passed ? 'passed' : 'failed'} ${ago(drill.endedMs, atMs)}`;
  const failed = drill.steps.find(({ verdict }) => verdict === 'failed');
  if (failed !== undefined) return { state: 'bad', figure, sentence: failed.sentence, remedy };
  if (daysSince(drill.endedMs, atMs) > FRESH_DAYS)
    return { state: 'attention', figure, sentence: `The drill is older than ${FRESH_DAYS} days.${alone}`, remedy };
  const sentence = `Under load a smaller model answers, and faults were tried.${alone}`;
  return {
    state: alone === '' ? 'good' : 'attention',
    figure,
    sentence,
    remedy: alone === '' ? null : { kind: 'open', label: 'Get a model', path: '/models' },
  };
}
