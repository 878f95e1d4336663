import { describe, expect, it } from 'vitest';
import type { EngineStatus, ModelStatus } from '../../engine/contract.ts';
import { describeEngine } from '../../renderer/src/sentence.ts';

const MODEL: ModelStatus = {
  id: 'alpha',
  use: 'text',
  state: 'ready',
  failure: null,
  precision: 'int8',
  variant: 'int8',
  parameterCount: 1,
  sizeBytes: 1,
  trainedContext: 1,
  tokensPerSecond: 412,
  pinned: false,
  running: {
    device: 'cpu',
    pid: 1,
    contextLength: 1,
    slots: 4,
    maxSlots: 4,
    runningRequests: 4,
    waitingRequests: 2,
    kvBytes: 0,
    slotUse: [],
    memoryBytes: null,
    unloadInMs: null,
    kvUsedTokens: 0,
    loadMs: 1,
    batches: null,
  },
};
const status = (extra: Partial<EngineStatus> = {}): EngineStatus => ({
  version: '1',
  state: 'serving',
  address: null,
  uptimeMs: 1,
  openRequests: 0,
  tokensPerSecond: 412,
  models: [MODEL],
  ...extra,
});

describe('describeEngine', () => {
  it.each([
    ['idle', 'Nobody is asking', status()],
    ['busy', 'Serving 1 request at 412 tokens/s; 2 of them wait', status({ openRequests: 1 })],
    ['busy', 'nobody waits', status({ openRequests: 6, models: [{ ...MODEL, running: null }] })],
    ['busy', 'Loading alpha', status({ models: [{ ...MODEL, state: 'loading' }] })],
    ['problem', 'cut short', status({ models: [{ ...MODEL, state: 'failed', failure: 'cut short' }] })],
    ['warning', 'No model', status({ models: [] })],
    ['warning', '3 requests left', status({ state: 'draining', openRequests: 3 })],
    ['idle', 'Asking the engine', null],
  ] as const)('%s: %s', (tone, words, given) => {
    const sentence = describeEngine(given, false);
    expect(sentence.tone).toBe(tone);
    expect(sentence.text).toContain(words);
  });

  it('says first that the connection is lost', () => {
    expect(describeEngine(status(), true)).toMatchObject({ tone: 'problem', word: 'no connection' });
  });
});
