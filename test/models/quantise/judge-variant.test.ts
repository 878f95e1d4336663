// The gate: what may answer, and in which words it says so.
import { describe, expect, it } from 'vitest';
import type { TextQuality } from '../../../engine/contract.ts';
import { judgeVariant } from '../../../engine/models/quantise/judge-variant.ts';
import { aMeasurement } from '../../fakes/lab.ts';

const BARS = { int8Loss: 0.01, int4Loss: 0.06 };
const int8 = { name: 'int8', precision: 'int8' } as const;
const int4 = { name: 'int4', precision: 'int4' } as const;

describe('the gate', () => {
  it('has a bar for each precision', () => {
    expect(judgeVariant(int8, aMeasurement(0.02), BARS)).toEqual({
      allowed: false,
      reason: 'int8 loses 2.00% of perplexity on the bundled text, more than the bar of 1.00%.',
    });
    expect(judgeVariant(int4, aMeasurement(0.02), BARS)).toEqual({
      allowed: true,
      reason: 'int4 loses 2.00% of perplexity on the bundled text; the bar is 6.00%.',
    });
  });

  it('lets float32 pass, and nothing that was not measured', () => {
    expect(judgeVariant({ name: 'fp32', precision: 'fp32' }, null, BARS).allowed).toBe(true);
    expect(judgeVariant(int8, null, BARS)).toMatchObject({ allowed: false, reason: expect.stringContaining('not measured') as string });
    expect(judgeVariant(int8, { ...aMeasurement(0), quality: [] }, BARS).allowed).toBe(false);
  });

  it('judges by the text on which most is lost', () => {
    const measured = aMeasurement(0.001);
    const own: TextQuality = {
      kind: 'decoder',
      text: 'own',
      positions: 9,
      perplexity: 21,
      referencePerplexity: 20,
      top1Agreement: 1,
      meanKl: 0,
    };
    const verdict = judgeVariant(int8, { ...measured, quality: [...measured.quality, own] }, BARS);
    expect(verdict).toEqual({
      allowed: false,
      reason: 'int8 loses 5.00% of perplexity on the text of your own, more than the bar of 1.00%.',
    });
  });

  it('refuses what is no number', () => {
    expect(judgeVariant(int8, aMeasurement(NaN), BARS).allowed).toBe(false);
    expect(judgeVariant(int8, aMeasurement(Infinity), BARS).allowed).toBe(false);
  });

  it('judges encoders by their cosine', () => {
    const quality: TextQuality = { kind: 'encoder', text: 'bundled', texts: 40, meanCosine: 0.98, worstCosine: 0.9, recallAt10: 0.9 };
    const measured = { ...aMeasurement(0), quality: [quality] };
    expect(judgeVariant(int8, measured, BARS).allowed).toBe(false);
    expect(judgeVariant(int4, measured, BARS)).toEqual({
      allowed: true,
      reason: 'int4 loses 2.00% of cosine on the bundled text; the bar is 6.00%.',
    });
  });
});
