import { describe, expect, it } from 'vitest';
import { uniformAt } from '../../engine/runner/sampling/uniform.ts';

describe('the random numbers of sampling', () => {
  it('are the same for the same seed, choice and place, and differ when one of them does', () => {
    expect(uniformAt(5n, 0, 3)).toBe(uniformAt(5n, 0, 3));
    const all = [uniformAt(5n, 0, 3), uniformAt(6n, 0, 3), uniformAt(5n, 1, 3), uniformAt(5n, 0, 4)];
    expect(new Set(all).size).toBe(4);
  });

  it('fill [0, 1) evenly, along places, choices and seeds', () => {
    const draws = [(i: number) => uniformAt(1n, 0, i), (i: number) => uniformAt(1n, i, 0), (i: number) => uniformAt(BigInt(i), 0, 0)];
    for (const draw of draws) {
      const counts = Array.from({ length: 20 }, () => 0);
      for (let i = 0; i < 20_000; i++) {
        const bin = Math.floor(draw(i) * 20);
        counts[bin] = (counts[bin] ?? 0) + 1;
      }
      const chiSquare = counts.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
      // 19 degrees of freedom: above 43.8 once in a thousand.
      expect(chiSquare).toBeLessThan(43.8);
    }
  });
});
