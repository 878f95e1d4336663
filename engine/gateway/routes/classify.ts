// `POST /v1/classify`.
import type { GatewayApp, GatewayContext } from '../context.ts';
import { encodeInputs } from '../encoding.ts';
import { dropNullFields } from '../openai/nulls.ts';
import { classifyAnswer, classifyBody, readClassify } from '../scoring/classify.ts';
import { classifyFacts } from './encoder-facts.ts';
import { findModel } from './find-model.ts';
import { classifyResponses } from './response-schemas.ts';

const schema = {
  tags: ['Classification'],
  summary: 'Label texts',
  description: 'A probability for each of the model’s labels: over all labels they sum to 1, unless the model gives a text several.',
  body: classifyBody,
  response: classifyResponses,
};

export function classifyRoute(app: GatewayApp, context: GatewayContext): void {
  app.post('/v1/classify', { schema, preValidation: dropNullFields }, async (request, reply) => {
    const { body } = request;
    const hosted = findModel(context.host, body.model);
    const facts = classifyFacts(hosted);
    const inputs = readClassify(body, context.limits);
    const { model, truncate = false } = body;
    const encoding = await encodeInputs({ context, request, reply, model, hosted, inputs, truncate, field: 'input' });
    return encoding === null ? reply : classifyAnswer(body, encoding, facts, context.now());
  });
}
