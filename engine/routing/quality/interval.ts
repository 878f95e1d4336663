// What grades say about a quality, with its uncertainty. Pure.
import type { QualityNow } from '../../contract.ts';

/** Fewer say nothing. */
export const LEAST_GRADES = 5;
const Z95 = 1.96;

/**
 * Mean and half of the 95% interval of scores in 0..1. The width is that of Agresti and Coull's interval for shares (1998): scores between
 * 0 and 1 vary less than a coin of the same mean, so it is an upper bound for them, and it is not 0 when all agree.
 */
export function qualityOf(scores: readonly number[]): QualityNow {
  const graded = scores.length;
  if (graded < LEAST_GRADES) return { kind: 'not_measured' };
  const sum = scores.reduce((total, score) => total + score, 0);
  const moderated = (sum + 2) / (graded + 4);
  const plusMinus = Z95 * Math.sqrt((moderated * (1 - moderated)) / (graded + 4));
  return { kind: 'measured', mean: sum / graded, plusMinus, graded };
}

/** Mean cost over mean quality, by the delta method; null while quality is not measured, or is 0. */
export function perQualityAdjusted(
  costs: readonly number[],
  quality: QualityNow,
): { readonly usd: number; readonly plusMinusUsd: number } | null {
  if (quality.kind === 'not_measured' || quality.mean <= 0 || costs.length < 2) return null;
  const mean = costs.reduce((total, usd) => total + usd, 0) / costs.length;
  const variance = costs.reduce((total, usd) => total + (usd - mean) ** 2, 0) / (costs.length - 1);
  const costPart = (Z95 * Math.sqrt(variance / costs.length)) / quality.mean;
  const qualityPart = (mean * quality.plusMinus) / quality.mean ** 2;
  return { usd: mean / quality.mean, plusMinusUsd: Math.hypot(costPart, qualityPart) };
}
