// `POST /v1/rerank`, and the same under `/rerank`.
import type { GatewayApp, GatewayContext } from '../context.ts';
import { encodeInputs } from '../encoding.ts';
import { dropNullFields } from '../openai/nulls.ts';
import { rerankAnswer } from '../scoring/rerank-answer.ts';
import { readRerank, rerankBody } from '../scoring/rerank-request.ts';
import { requireReranker } from './encoder-facts.ts';
import { findModel } from './find-model.ts';
import { rerankResponses } from './response-schemas.ts';

const schema = {
  tags: ['Reranking'],
  summary: 'Order documents by how well they answer a query',
  description:
    'The shape of Jina’s and Cohere’s APIs. Scores lie between 0 and 1 (the sigmoid of the model’s own) unless `raw_scores` is set. ' +
    'A document that does not fit beside the query is refused, and named, unless `truncate` is set.',
  body: rerankBody,
  response: rerankResponses,
};

export function rerankRoutes(app: GatewayApp, context: GatewayContext): void {
  for (const path of ['/v1/rerank', '/rerank']) {
    app.post(path, { schema, preValidation: dropNullFields }, async (request, reply) => {
      const { model } = request.body;
      const hosted = findModel(context.host, model);
      requireReranker(hosted);
      const ask = readRerank(request.body, context.limits);
      const { inputs, truncate } = ask;
      const encoding = await encodeInputs({
        context,
        request,
        reply,
        model,
        hosted,
        inputs,
        truncate,
        field: 'documents',
      });
      return encoding === null ? reply : rerankAnswer(model, encoding, ask);
    });
  }
}
