// Decides whether a variant may answer in place of another, from what was measured. Pure: knows nothing about files.
import type { GateVerdict, QualitySettings, TextQuality, VariantExpectation, VariantMeasurement } from '../../contract.ts';
import { assertNever } from '../../errors.ts';
import type { Precision, VariantManifest } from '../manifest.ts';

/** What is commonly said of each precision against float32. */
export const EXPECTATIONS: Readonly<Record<Precision, VariantExpectation | null>> = {
  fp32: null,
  fp16: { memoryShare: 0.5, speed: [1, 2], loss: [0, 0.001] },
  int8: { memoryShare: 0.25, speed: [2, 3], loss: [0, 0.01] },
  int4: { memoryShare: 0.125, speed: [3, 4], loss: [0.01, 0.03] },
};

export function judgeVariant(
  { name, precision }: Pick<VariantManifest, 'name' | 'precision'>,
  measured: VariantMeasurement | null,
  bars: QualitySettings,
): GateVerdict {
  const bar = barOf(precision, bars);
  if (bar === null) return { allowed: true, reason: 'float32 is what other variants are measured against.' };
  if (measured === null) return { allowed: false, reason: `${name} was not measured yet, so nobody knows what it loses.` };
  const [worst] = measured.quality.map(lossOf).toSorted((a, b) => b.share - a.share);
  if (worst === undefined) return { allowed: false, reason: `${name} was measured on no text.` };
  const words = `${name} loses ${percent(worst.share)} of ${worst.of} on the ${worst.text === 'own' ? 'text of your own' : 'bundled text'}`;
  return worst.share <= bar
    ? { allowed: true, reason: `${words}; the bar is ${percent(bar)}.` }
    : { allowed: false, reason: `${words}, more than the bar of ${percent(bar)}.` };
}

/** Null: no bar. */
function barOf(precision: Precision, { int8Loss, int4Loss }: QualitySettings): number | null {
  switch (precision) {
    case 'fp32':
      return null;
    case 'fp16':
    case 'int8':
      return int8Loss;
    case 'int4':
      return int4Loss;
    default:
      return assertNever(precision);
  }
}

interface Loss {
  readonly share: number;
  readonly of: string;
  readonly text: TextQuality['text'];
}

/** More than zero is worse than float32. A number that is none counts as all. */
function lossOf(quality: TextQuality): Loss {
  const decoder = quality.kind === 'decoder';
  const share = decoder ? quality.perplexity / quality.referencePerplexity - 1 : 1 - quality.meanCosine;
  return { share: Number.isFinite(share) ? share : Infinity, of: decoder ? 'perplexity' : 'cosine', text: quality.text };
}

function percent(share: number): string {
  return `${(share * 100).toFixed(2)}%`;
}
