// A checklist as the engine tells it, with a point of each state and a drill behind it.
import type { ChecklistAnswer, CheckItem } from '../../engine/contract.ts';

const item = (change: Partial<CheckItem>): CheckItem => ({
  point: 'batching',
  title: 'Batching',
  state: 'good',
  figure: '3.2 sequences a step under load',
  sentence: 'Requests that come together are computed together.',
  action: null,
  ...change,
});

export function aChecklist(): ChecklistAnswer {
  const mend = { kind: 'mend', label: 'Turn the cache on' } as const;
  const caching = { point: 'caching', title: 'Cache hit rate', state: 'bad', figure: 'Off', action: mend } as const;
  const models = { kind: 'open', label: 'Open Models', path: '/models' } as const;
  const quantisation = { point: 'quantisation', title: 'Models at INT8 or below', state: 'attention', action: models } as const;
  const probe = { status: 200, errorCode: null, ttftMs: 40, totalMs: 900, model: 'mill' };
  const sentence = 'The next request was answered 1.4 s after the model’s process died.';
  return {
    atMs: Date.now(),
    items: [item(caching), item(quantisation), item({}), item({ point: 'load_test', title: 'Load test', state: 'unknown' })],
    advice: [{ id: 'load', subject: 'device', kind: 'note', sentence: 'This load needs 0.3 of your device.', basis: 'Seven days.' }],
    drill: {
      running: null,
      refusal: null,
      reports: [
        {
          startedMs: Date.now() - 60_000,
          endedMs: Date.now() - 50_000,
          forced: false,
          model: 'mill',
          baselineTtftMs: 35,
          passed: true,
          steps: [{ step: 'runner_death', verdict: 'passed', sentence, recoveryMs: 1_400, probes: [probe] }],
        },
      ],
    },
  };
}
