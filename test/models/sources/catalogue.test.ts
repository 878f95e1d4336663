// The catalogue's facts hang together: names, sources, and numbers of a plausible size.
import { describe, expect, it } from 'vitest';
import { CATALOGUE, DEFAULT_EMBEDDING_MODEL, DEFAULT_MODEL } from '../../../engine/models/sources/catalogue.ts';
import { isModelId } from '../../../engine/models/store/model-store.ts';

describe('the catalogue', () => {
  it('names each model once, by a name under which it can be installed', () => {
    const ids = CATALOGUE.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.filter((id) => !isModelId(id))).toEqual([]);
    expect(ids).toEqual(expect.arrayContaining([DEFAULT_MODEL, DEFAULT_EMBEDDING_MODEL]));
  });

  it('has forty models and more, of every use', () => {
    expect(CATALOGUE.length).toBeGreaterThanOrEqual(40);
    expect(new Set(CATALOGUE.map(({ use }) => use))).toEqual(new Set(['text', 'embedding', 'rerank']));
  });

  it.each(CATALOGUE.map((model) => [model.id, model] as const))('%s has a size, a licence, a context and a source', (id, model) => {
    expect(model.millions).toBeGreaterThan(10);
    expect(model.millions).toBeLessThan(10_000);
    expect(model.licence).toMatch(/^[a-z0-9.-]+$/);
    expect(model.contextLength).toBeGreaterThanOrEqual(128);
    expect(model.sources[0]).toMatchObject({ kind: 'hub', repo: expect.stringMatching(new RegExp(`/${id}$`, 'i')) as string });
    // Where the name itself tells the size, the two agree.
    const told = /(\d+(?:\.\d+)?)(b|m)(?:-|$)/i.exec(model.id);
    if (told !== null) {
      const millions = Number(told[1]) * (told[2]?.toLowerCase() === 'b' ? 1000 : 1);
      expect(Math.abs(model.millions / millions - 1)).toBeLessThan(0.25);
    }
  });
});
