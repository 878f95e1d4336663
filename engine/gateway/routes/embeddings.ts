// `POST /v1/embeddings`.
import type { GatewayApp, GatewayContext } from '../context.ts';
import { encodeInputs } from '../encoding.ts';
import { sendJsonPieces } from '../json-pieces.ts';
import { embeddingPieces } from '../openai/embedding-answer.ts';
import { embeddingBody, readEmbedding } from '../openai/embedding-request.ts';
import { dropNullFields } from '../openai/nulls.ts';
import { embeddingFacts } from './encoder-facts.ts';
import { findModel } from './find-model.ts';
import { embeddingResponses } from './response-schemas.ts';

const schema = {
  tags: ['Embeddings'],
  summary: 'Turn texts into vectors',
  description:
    'OpenAI’s embeddings. A text’s vector does not depend on what else is asked for, now or by others. ' +
    'A text longer than the model takes is refused, and named, unless `truncate` is set. ' +
    'The header `x-millrace-deadline-ms` refuses what has waited longer.',
  body: embeddingBody,
  response: embeddingResponses,
};

export function embeddingsRoute(app: GatewayApp, context: GatewayContext): void {
  app.post('/v1/embeddings', { schema, preValidation: dropNullFields }, async (request, reply) => {
    const { model } = request.body;
    const hosted = findModel(context.host, model);
    const { inputs, truncate, format, dimensions } = readEmbedding(request.body, embeddingFacts(hosted), context.limits);
    const encoding = await encodeInputs({ context, request, reply, model, hosted, inputs, truncate, field: 'input' });
    return encoding === null ? reply : sendJsonPieces(reply, embeddingPieces(encoding, { model, format, dimensions }));
  });
}
