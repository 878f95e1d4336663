import { describe, expect, it } from 'vitest';
import { catalogueMatches, fitOf, inOrder, modelMatches, unloadWords } from '../../../renderer/src/models/model-list.ts';
import { aDevice, aModel, aRunning } from '../factories.ts';

describe('the list of models', () => {
  it('puts those that need a look first, then those in memory, by name', () => {
    const models = [
      aModel({ id: 'd', state: 'installed' }),
      aModel({ id: 'c' }),
      aModel({ id: 'b' }),
      aModel({ id: 'a', state: 'loading' }),
      aModel({ id: 'e', state: 'failed' }),
    ];
    expect(inOrder(models).map(({ id }) => id)).toEqual(['e', 'a', 'b', 'c', 'd']);
  });

  it('is searched by name, use, precision and state', () => {
    const model = aModel({ id: 'Qwen3-0.6B', use: 'embedding', state: 'installed' });
    expect(['qwen', 'int8 embed', 'not loaded', ' '].map((words) => modelMatches(model, words))).toEqual([true, true, true, true]);
    expect(modelMatches(model, 'qwen fp32')).toBe(false);
    expect(catalogueMatches({ id: 'bge', title: 'BGE reranker', use: 'rerank' }, 'rerank bge')).toBe(true);
  });

  it('says when a model leaves memory', () => {
    const words = (change: Parameters<typeof aModel>[0]) => unloadWords(aModel(change));
    expect(words({ pinned: true })).toBe('pinned');
    expect(words({ running: null })).toBe('–');
    expect(words({ running: aRunning({ unloadInMs: null, runningRequests: 1 }) })).toBe('in use');
    expect(words({ running: aRunning({ unloadInMs: null }) })).toBe('never');
    expect(words({ running: aRunning({ unloadInMs: 540_000 }) })).toBe('in 9 min');
  });

  it('estimates whether a model fits', () => {
    const devices = [
      aDevice({ memoryTotalBytes: 16e9, memoryUsedBytes: 10e9 }),
      aDevice({ id: 'gpu0', kind: 'gpu', memoryTotalBytes: null }),
    ];
    expect(fitOf(4e9, devices)).toEqual({ kind: 'fits', words: 'fits' });
    expect(fitOf(6e9, devices)).toEqual({ kind: 'tight', words: 'tight: 6.0 GB free now' });
    expect(fitOf(20e9, devices)).toEqual({ kind: 'too_large', words: 'too large: needs about 25.0 GB' });
    expect(fitOf(1e9, [])).toEqual({ kind: 'unknown', words: 'needs about 1.3 GB' });
  });
});
