// Owns the log-probabilities that are reported: the model's own distribution, before temperature, penalties and truncation.
import type { LogitsRow } from '../decoder-session.ts';
import { scanLogSumExp } from './ranked-tokens.ts';

export interface TokenWithLogprob {
  readonly token: number;
  readonly logprob: number;
}

/** Log-probability of a token and of the `topCount` likeliest ones (at most as many as the graph ranks). */
export function tokenLogprob(
  row: LogitsRow,
  token: number,
  topCount: number,
): TokenWithLogprob & { readonly top: readonly TokenWithLogprob[] } {
  const logSumExp = row.inverseTemperature === 1 ? row.logSumExp : scanLogSumExp(row.logits, 1);
  const top = Array.from(row.topIndices.subarray(0, topCount), (index, rank) => ({
    token: index,
    logprob: (row.topValues[rank] ?? -Infinity) - logSumExp,
  }));
  return { token, logprob: (row.logits[token] ?? -Infinity) - logSumExp, top };
}
