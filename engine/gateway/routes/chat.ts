// `POST /v1/chat/completions`.
import { randomUUID } from 'node:crypto';
import { answerJson, answerStream } from '../answering.ts';
import type { GatewayApp, GatewayContext } from '../context.ts';
import { ChatJson, ChatStream, type ChatShape } from '../openai/chat-answer.ts';
import { chatBody, readChat } from '../openai/chat-request.ts';
import { fingerprintOf } from '../openai/answer-head.ts';
import { withoutNulls } from '../openai/nulls.ts';
import { findModel } from './find-model.ts';
import { chatResponses } from './response-schemas.ts';

const schema = {
  tags: ['Chat'],
  summary: 'Answer a chat',
  description:
    'OpenAI’s chat completions. A field of that API that is not listed is ignored if unknown, and refused by name if it cannot be honoured.',
  body: chatBody,
  response: chatResponses,
};

export function chatRoute(app: GatewayApp, context: GatewayContext): void {
  const preValidation = async (request: { body: unknown }): Promise<void> => {
    request.body = withoutNulls(request.body);
  };
  app.post('/v1/chat/completions', { schema, preValidation }, async (request, reply) => {
    const model = findModel(context.host, request.body.model);
    const ask = readChat(request.body, model.manifest.config.vocabSize, context.limits);
    const head = {
      id: `chatcmpl-${randomUUID()}`,
      created: Math.floor(context.now() / 1000),
      model: request.body.model,
      system_fingerprint: fingerprintOf(model),
    };
    const shape: ChatShape = { head, n: ask.request.params.n, logprobs: ask.logprobs, includeUsage: ask.includeUsage };
    const answering = { context, reply, requests: [ask.request] };
    return ask.stream ? answerStream(answering, new ChatStream(shape)) : answerJson(answering, new ChatJson(shape));
  });
}
