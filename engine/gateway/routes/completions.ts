// `POST /v1/completions`.
import { randomUUID } from 'node:crypto';
import { answerJson, answerStream } from '../answering.ts';
import type { GatewayApp, GatewayContext } from '../context.ts';
import { fingerprintOf } from '../openai/answer-head.ts';
import { CompletionJson, CompletionStream, type CompletionShape } from '../openai/completion-answer.ts';
import { completionBody, readCompletion } from '../openai/completion-request.ts';
import { withoutNulls } from '../openai/nulls.ts';
import { findModel } from './find-model.ts';
import { completionResponses } from './response-schemas.ts';

const schema = {
  tags: ['Completions'],
  summary: 'Continue a text',
  description: 'OpenAI’s older completions: one or several prompts, as text or token ids, without a chat template.',
  body: completionBody,
  response: completionResponses,
};

export function completionsRoute(app: GatewayApp, context: GatewayContext): void {
  const preValidation = async (request: { body: unknown }): Promise<void> => {
    request.body = withoutNulls(request.body);
  };
  app.post('/v1/completions', { schema, preValidation }, async (request, reply) => {
    const model = findModel(context.host, request.body.model);
    const facts = { vocabSize: model.manifest.config.vocabSize, addBos: model.manifest.tokenizer.addBos };
    const ask = readCompletion(request.body, facts, context.limits);
    const head = {
      id: `cmpl-${randomUUID()}`,
      created: Math.floor(context.now() / 1000),
      model: request.body.model,
      system_fingerprint: fingerprintOf(model),
    };
    const { n, bestOf, logprobs, echo, includeUsage } = ask;
    const shape: CompletionShape = { head, prompts: ask.requests.map(({ prompt }) => prompt), n, bestOf, logprobs, echo, includeUsage };
    const answering = { context, reply, requests: ask.requests };
    return ask.stream ? answerStream(answering, new CompletionStream(shape)) : answerJson(answering, new CompletionJson(shape));
  });
}
