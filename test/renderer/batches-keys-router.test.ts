// Batches, Keys and Router: what they say of each state, and what they ask of the engine. Pure parts.
import { describe, expect, it } from 'vitest';
import type { BatchView } from '../../engine/contract.ts';
import { faultOfWish, plainWish } from '../../engine/access/key-wish.ts';
import { describeCost, describeRows } from '../../renderer/src/batches/batch-card.tsx';
import { endpointOf } from '../../renderer/src/batches/upload.ts';
import { describeKey } from '../../renderer/src/keys/keys-screen.tsx';
import { wishOf } from '../../renderer/src/keys/new-key-dialog.tsx';
import { qualityWords } from '../../renderer/src/router/targets-panel.tsx';
import { modelsOf } from '../../renderer/src/router/upstreams-section.tsx';

const aBatch = (change: Partial<BatchView> = {}): BatchView => ({
  id: 'batch_1',
  tenant: 'local',
  endpoint: '/v1/chat/completions',
  model: 'alpha',
  filename: 'rows.jsonl',
  status: 'in_progress',
  total: 2_000,
  completed: 117,
  failed: 3,
  createdMs: 0,
  expiresMs: 86_400_000,
  endedMs: null,
  rowsPerSecond: 4.2,
  etaMs: 480_000,
  outputFileId: null,
  errorFileId: null,
  faults: [],
  cost: { spotUsd: 0.25, interactiveUsd: 1, premiumUsd: null, deviceMs: 1 },
  ...change,
});

describe('a batch in words', () => {
  it('says how far it is, how fast, and when it ends', () => {
    expect(describeRows(aBatch())).toContain('120 of 2,000 rows, 3 failed, 4.2 rows/s, 8 min left');
    expect(describeRows(aBatch({ rowsPerSecond: null, etaMs: null }))).toContain('time left not known yet');
  });

  it('shows its saving, and no price of premium where there is none', () => {
    expect(describeCost(aBatch())).toContain('interactive $1.00 (saves 75%), premium has no price');
  });

  it('has the endpoint of its first row', async () => {
    expect(await endpointOf(new Blob(['{"custom_id":"1","url": "/v1/embeddings","body":{}}\n{}']))).toBe('/v1/embeddings');
    expect(await endpointOf(new Blob(['no json']))).toBeNull();
  });
});

describe('a key', () => {
  const draft = { tenant: 'team-a', days: 1, models: 'a, b', admin: false, countsLocalCost: true, priority: 'normal' } as const;

  it('is asked for in terms that the engine takes', () => {
    const wish = wishOf({ ...draft, limits: { dailyUsd: 2 } }, 1_000);
    const plain = plainWish('team-a');
    const whole = { ...plain, ...wish, scopes: { ...plain.scopes, ...wish.scopes }, limits: { ...plain.limits, ...wish.limits } };
    expect(faultOfWish(whole)).toBeNull();
    expect(whole).toMatchObject({ expiresMs: 86_401_000, scopes: { models: ['a', 'b'] }, limits: { dailyUsd: 2, countsLocalCost: true } });
    expect(wishOf({ ...draft, models: ' ', days: null, limits: {} }, 0)).toMatchObject({ expiresMs: null, scopes: { models: null } });
  });

  it('says what it may', () => {
    const { limits, ...plain } = plainWish('team-a');
    expect(describeKey({ ...plain, limits: { ...limits, requestsPerMinute: 60 } })).toBe(
      'every model, the whole API, 60 requests/min, priority normal',
    );
  });
});

describe('the router', () => {
  it('gives no number for quality that nobody measured', () => {
    expect(qualityWords({ kind: 'not_measured' })).toBeNull();
    expect(qualityWords({ kind: 'measured', mean: 0.97, plusMinus: 0.01, graded: 120 })).toBe('0.97 ±0.01 of 120');
  });

  it('keeps the limits of an upstream’s models that stay', () => {
    const kept = { name: 'a', contextLength: 1, maxTokens: 2 };
    expect(modelsOf('a, b', [kept])).toEqual([kept, { name: 'b', contextLength: 128_000, maxTokens: 4_096 }]);
  });
});
