// Shapes the scores of pairs as a rerank answer: the best first. Pure.
import { randomUUID } from 'node:crypto';
import type { Encoding } from '../../fleet/host.ts';
import type { RerankAsk } from './rerank-request.ts';
import { sigmoid } from './probabilities.ts';

export function rerankAnswer(model: string, { values, width, tokens }: Encoding, ask: RerankAsk) {
  const total = tokens.reduce((sum, one) => sum + one, 0);
  const scored = ask.documents.map((text, index) => {
    // A head of two labels scores the second, "relevant", against the first.
    const logit = width === 1 ? (values[index] ?? 0) : (values[index * width + 1] ?? 0) - (values[index * width] ?? 0);
    return { index, logit, text };
  });
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
