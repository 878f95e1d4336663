// `POST /v1/completions`.
import { answerJson, answerStream } from '../answering.ts';
import type { GatewayApp, GatewayContext } from '../context.ts';
import { newHead } from '../openai/answer-head.ts';
import { CompletionJson, CompletionStream, type CompletionShape } from '../openai/completion-answer.ts';
import { completionBody, readCompletion } from '../openai/completion-request.ts';
import { dropNullFields } from '../openai/nulls.ts';
import { COMPLETION_REFUSALS, describeRefusals } from '../openai/refusals.ts';
import { decoderManifest } from './encoder-facts.ts';
import { findModel } from './find-model.ts';
import { completionResponses } from './response-schemas.ts';

const schema = {
  tags: ['Completions'],
  summary: 'Continue a text',
  description: `One or several prompts, as text or token ids, without a chat template.\n\n${describeRefusals(COMPLETION_REFUSALS)}`,
  body: completionBody,
  response: completionResponses,
};

export function completionsRoute(app: GatewayApp, context: GatewayContext): void {
  app.post('/v1/completions', { schema, preValidation: dropNullFields }, async (request, reply) => {
    const model = findModel(context.host, request.body.model);
    const { config, tokenizer } = decoderManifest(model);
    const facts = { vocabSize: config.vocabSize, addBos: tokenizer.addBos };
    const ask = readCompletion(request.body, facts, context.limits);
    const head = newHead('cmpl', request.body.model, model, context.now());
    const { n, bestOf, logprobs, echo, includeUsage } = ask;
    const shape: CompletionShape = { head, prompts: ask.requests.map(({ prompt }) => prompt), n, bestOf, logprobs, echo, includeUsage };
    const answering = { context, reply, model, requests: ask.requests };
    return ask.stream ? answerStream(answering, new CompletionStream(shape)) : answerJson(answering, new CompletionJson(shape));
  });
}
