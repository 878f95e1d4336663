import { describe, expect, it } from 'vitest';
import type { NowSnapshot } from '../../engine/contract.ts';
import { describeEngine, firstSentence, wholeSentence } from '../../renderer/src/shell/sentence.ts';
import { anAlert, aModel, aSnapshot } from './factories.ts';

const of = (change: Partial<NowSnapshot>) => describeEngine({ now: aSnapshot(change), connection: 'live' });
const queue = (running: number, waiting: number): Partial<NowSnapshot> => ({
  queue: { running, waiting, waitP50Ms: null, waitP99Ms: null },
  tokensPerSecond: 412,
});

describe('describeEngine', () => {
  it.each([
    ['ok', 'Nobody is asking', {}],
    ['ok', 'The first request loads its model', { models: [aModel({ state: 'installed', running: null })] }],
    ['busy', 'Serving 1 request at 412 tok/s; 2 more requests wait', queue(1, 2)],
    ['busy', '1 more request waits', queue(8, 1)],
    ['busy', 'Serving 6 requests at 412 tok/s; nobody waits', queue(6, 0)],
    ['busy', 'Loading alpha', { models: [aModel({ state: 'loading', running: null })] }],
    ['problem', 'alpha could not be loaded. cut short', { models: [aModel({ state: 'failed', failure: 'cut short', running: null })] }],
    ['warning', 'No model', { models: [] }],
    ['warning', '3 requests left', { ...queue(2, 1), state: 'draining' as const }],
    ['warning', 'until you resume', { state: 'paused' as const }],
    ['warning', 'The queue is long. Add a replica.', { alerts: [anAlert({ sentence: 'The queue is long.', remedy: 'Add a replica.' })] }],
    [
      'warning',
      'The queue is long. And 1 more alert. Add a replica.',
      { alerts: [anAlert({ sentence: 'The queue is long.', remedy: 'Add a replica.' }), anAlert()] },
    ],
    ['ok', 'Nobody is asking', { alerts: [anAlert({ snoozedUntilMs: 1 })] }],
  ] as const)('%s: %s', (tone, words, change) => {
    const sentence = of(change);
    expect(sentence.tone).toBe(tone);
    expect(wholeSentence(sentence)).toContain(words);
  });

  it('keeps a finding to one sentence, whatever the name and the figure have in them', () => {
    const finding = 'The P99 time to first token of qwen2.5 (v1. fast) over its objective is 2.4×, above the limit of 2×.';
    expect(firstSentence(`${finding} The slowest hundredth takes long.`)).toBe(finding);
    expect(firstSentence('The queue is long')).toBe('The queue is long');
  });

  it('says first that the connection is lost', () => {
    expect(describeEngine({ now: aSnapshot(), connection: 'lost' })).toMatchObject({ tone: 'problem', word: 'no connection' });
    expect(describeEngine({ now: null, connection: 'connecting' }).text).toContain('Asking the engine');
  });
});
