// `POST /v1/chat/completions`.
import { answerJson, answerStream } from '../answering.ts';
import type { GatewayApp, GatewayContext } from '../context.ts';
import { ChatJson, ChatStream, type ChatShape } from '../openai/chat-answer.ts';
import { chatBody, readChat } from '../openai/chat-request.ts';
import { newHead } from '../openai/answer-head.ts';
import { dropNullFields } from '../openai/nulls.ts';
import { CHAT_REFUSALS, describeRefusals } from '../openai/refusals.ts';
import { decoderManifest } from './encoder-facts.ts';
import { findModel } from './find-model.ts';
import { chatResponses } from './response-schemas.ts';

const schema = {
  tags: ['Chat'],
  summary: 'Answer a chat',
  description: `OpenAI’s chat completions.\n\n${describeRefusals(CHAT_REFUSALS)}`,
  body: chatBody,
  response: chatResponses,
};

export function chatRoute(app: GatewayApp, context: GatewayContext): void {
  app.post('/v1/chat/completions', { schema, preValidation: dropNullFields }, async (request, reply) => {
    const model = findModel(context.host, request.body.model);
    const { config, tokenizer } = decoderManifest(model);
    const ask = readChat(request.body, { vocabSize: config.vocabSize, chatTemplate: tokenizer.chatTemplate }, context.limits);
    const head = newHead('chatcmpl', request.body.model, model, context.now());
    const shape: ChatShape = {
      head,
      n: ask.request.params.n,
      logprobs: ask.logprobs,
      hasTools: ask.hasTools,
      includeUsage: ask.includeUsage,
    };
    const answering = { context, reply, model, requests: [ask.request] };
    return ask.stream ? answerStream(answering, new ChatStream(shape)) : answerJson(answering, new ChatJson(shape));
  });
}
