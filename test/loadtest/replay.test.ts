// Which recorded requests are sent again, and when.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RequestRow } from '../../engine/contract.ts';
import { planReplay } from '../../engine/loadtest/replay.ts';

const ROW = {
  requestId: 'r',
  endpoint: '/v1/chat/completions',
  tenant: 'local',
  modelAsked: 'm',
  model: 'm',
  cache: 'miss',
  upstreamUsd: 0,
  promptTokens: 20,
  cachedTokens: 4,
  completionTokens: 8,
} as RequestRow;
const at = (atMs: number, over: Partial<RequestRow> = {}): RequestRow => ({ ...ROW, atMs, ...over });

describe('planReplay', () => {
  it('compresses the busiest stretch by the factor', () => {
    const { requests } = planReplay(
      [0, 50_000, 51_000, 53_000].map((ms) => at(ms)),
      2,
      5_000,
    );
    expect(requests.map(({ atMs }) => atMs)).toEqual([0, 500, 1_500]);
  });

  it('loses no request and keeps every arrival within the test', () => {
    const rows = fc.array(fc.nat(3_600_000), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(rows, fc.constantFrom(1, 2, 4), (times, factor) => {
        const whole = planReplay(
          times.map((ms) => at(ms)),
          factor,
          3_600_001,
        ).requests;
        expect(whole).toHaveLength(times.length);
        const part = planReplay(
          times.map((ms) => at(ms)),
          factor,
          60_000,
        ).requests;
        expect(part.every(({ atMs }, i) => atMs >= (part[i - 1]?.atMs ?? 0) && atMs < 60_000)).toBe(true);
      }),
    );
  });

  it('leaves out what is no load of users, cost money or was not computed, and counts it', () => {
    const rows = [
      at(0),
      at(1, { requestId: 'loadtest-1' }),
      at(2, { upstreamUsd: 1 }),
      at(3, { cache: 'hit' }),
      at(4, { endpoint: '/v1/batches' }),
    ];
    const { requests, leftOut } = planReplay(rows, 1, 1_000);
    expect(requests).toEqual([{ atMs: 0, model: 'm', tenant: 'local', promptTokens: 20, cachedTokens: 4, answerTokens: 8 }]);
    expect(leftOut.map(({ count }) => count)).toEqual([1, 1, 1, 1]);
  });
});
