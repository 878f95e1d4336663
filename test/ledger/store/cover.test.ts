import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { coverRange } from '../../../engine/ledger/store/cover.ts';

const STEPS = [86_400_000, 3_600_000, 1_000, 1];
const range = fc
  .tuple(fc.integer({ min: 0, max: 10 * 86_400_000 }), fc.integer({ min: 1, max: 10 * 86_400_000 }))
  .map(([fromMs, length]) => ({ fromMs, toMs: fromMs + length }));

describe('coverRange', () => {
  it('covers the range exactly while everything is kept, with whole steps and the coarsest that fit', () => {
    fc.assert(
      fc.property(range, (over) => {
        const segments = coverRange(
          over,
          STEPS.map((stepMs) => ({ stepMs, keptFromMs: 0 })),
        );
        expect(segments[0]?.fromMs).toBe(over.fromMs);
        expect(segments.at(-1)?.toMs).toBe(over.toMs);
        segments.forEach(({ level, fromMs, toMs }, at) => {
          expect(fromMs).toBeLessThan(toMs);
          expect([fromMs % (STEPS[level] ?? 0), toMs % (STEPS[level] ?? 0)]).toEqual([0, 0]);
          if (at > 0) expect(fromMs).toBe(segments[at - 1]?.toMs);
        });
        // Fewer than a step's worth of the next finer level at each side.
        expect(segments.length).toBeLessThanOrEqual(2 * STEPS.length - 1);
      }),
    );
  });

  it('widens to whole coarse steps what is no longer kept finer, without overlap', () => {
    fc.assert(
      fc.property(range, fc.integer({ min: 0, max: 20 * 86_400_000 }), (over, keptFromMs) => {
        const segments = coverRange(over, [
          { stepMs: 86_400_000, keptFromMs: 0 },
          { stepMs: 3_600_000, keptFromMs },
          { stepMs: 1, keptFromMs },
        ]);
        expect(segments[0]?.fromMs).toBeLessThanOrEqual(over.fromMs);
        expect(segments.at(-1)?.toMs).toBeGreaterThanOrEqual(over.toMs);
        for (const { level, fromMs } of segments) if (level > 0) expect(fromMs).toBeGreaterThanOrEqual(keptFromMs);
        segments.slice(1).forEach(({ fromMs }, at) => expect(fromMs).toBe(segments[at]?.toMs));
      }),
    );
  });
});
