import fc from 'fast-check';
import { expect, it } from 'vitest';
import { waitForRate } from '../../../engine/models/sources/rate-limit.ts';

it('no rate is exceeded once the wait is over, and nobody waits below it', () => {
  const positive = fc.double({ min: 1, max: 1e9, noNaN: true });
  fc.assert(
    fc.property(positive, positive, positive, (bytes, elapsedMs, rate) => {
      const wait = waitForRate(bytes, elapsedMs, rate);
      expect(wait).toBeGreaterThanOrEqual(0);
      expect((bytes / (elapsedMs + wait)) * 1000).toBeLessThanOrEqual(rate * (1 + 1e-9));
      if ((bytes / elapsedMs) * 1000 < rate) expect(wait).toBe(0);
    }),
  );
});
