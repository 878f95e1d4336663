// Shapes the scores of pairs as a rerank answer: the best first. Pure.
import { randomUUID } from 'node:crypto';
import type { Encoding } from '../../fleet/host.ts';
import type { RerankAsk } from './rerank-request.ts';
import { sigmoid } from './probabilities.ts';

export function rerankAnswer(model: string, { values, tokens }: Encoding, ask: RerankAsk) {
  const total = tokens.reduce((sum, one) => sum + one, 0);
  const scored = ask.documents.map((text, index) => ({ index, logit: values[index] ?? 0, text }));
  const best = scored.sort((a, b) => b.logit - a.logit || a.index - b.index).slice(0, ask.topN);
  return {
    id: `rerank-${randomUUID()}`,
    model,
    results: best.map(({ index, logit, text }) => ({
      index,
      relevance_score: ask.rawScores ? logit : sigmoid(logit),
      ...(ask.returnDocuments ? { document: { text } } : {}),
    })),
    usage: { prompt_tokens: total, total_tokens: total },
  };
}
