// `/v1/responses`: making them, in the foreground and in the background, and reading, cancelling and deleting those that are kept.
import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { LOCAL } from '../../access/caller.ts';
import { EngineError } from '../../errors.ts';
import { answerDetached, answerJson, answerStream, type Answering } from '../answering.ts';
import type { GatewayApp, GatewayContext } from '../context.ts';
import { dropNullsWithin } from '../openai/nulls.ts';
import { describeRefusals } from '../openai/refusals.ts';
import { ResponseJson, ResponseStream, type ResponseEnding } from '../responses/answer.ts';
import { BackgroundResponses } from '../responses/background.ts';
import type { InputItem } from '../responses/items.ts';
import { listItems } from '../responses/list-items.ts';
import { RESPONSE_REFUSALS } from '../responses/refusals.ts';
import { inputTokensBody, readConversation, readResponse, responseBody, type ResponseAsk } from '../responses/request.ts';
import { newResponseHead, type ResponseHead } from '../responses/response-object.ts';
import { deletedResponse, inputItemList, inputTokens, response, responseAnswers } from '../responses/schemas.ts';
import { queryCompiler } from '../console/query.ts';
import { decoderManifest } from './encoder-facts.ts';
import { findModel } from './find-model.ts';
import { errorResponses } from './response-schemas.ts';

const tags = ['Responses'];
const dropNulls = dropNullsWithin('input', 'text', 'reasoning', 'stream_options', 'prompt_cache_options');
const params = Type.Object({ id: Type.String() });
const createSchema = {
  tags,
  summary: 'Make a response',
  description: `OpenAI’s responses: text in, text out, kept for what may follow.\n\n${describeRefusals(RESPONSE_REFUSALS)}`,
  body: responseBody,
  response: responseAnswers,
};
const countSchema = {
  tags,
  summary: 'Count the tokens of an input',
  body: inputTokensBody,
  response: { 200: inputTokens, ...errorResponses },
};
const readSchema = { tags, summary: 'Look at a stored response', params, response: { 200: response, ...errorResponses } };
const cancelSchema = { tags, summary: 'Cancel a response in the background', params, response: { 200: response, ...errorResponses } };
const deleteSchema = { tags, summary: 'Delete a stored response', params, response: { 200: deletedResponse, ...errorResponses } };
const itemsSchema = {
  tags,
  summary: 'List the input of a stored response',
  params,
  querystring: Type.Object({
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, description: 'Default 20.' })),
    order: Type.Optional(Type.Enum(['asc', 'desc'], { description: 'Default desc: the last item first.' })),
    after: Type.Optional(Type.String({ description: 'Id of the item before the first one listed.' })),
  }),
  response: { 200: inputItemList, ...errorResponses },
};

const tenantOf = ({ caller }: FastifyRequest): string => (caller ?? LOCAL).tenant;

export function responseRoutes(app: GatewayApp, context: GatewayContext): void {
  const { responses: store, limits, host } = context;
  const background = new BackgroundResponses();
  const history = async (request: FastifyRequest, previousId: string | null): Promise<readonly InputItem[]> =>
    previousId === null ? [] : ((await store.history(tenantOf(request), previousId, limits.messages)) as readonly InputItem[]);

  app.post('/v1/responses', { schema: createSchema, preValidation: dropNulls }, async (request, reply) => {
    const model = findModel(host, request.body.model);
    const ask = readResponse(request.body, decoderManifest(model).config.vocabSize, limits);
    const requests = [ask.after(await history(request, ask.previousId))];
    const head = newResponseHead(request.body, ask.logprobs, context.now());
    const making: Making = { answering: { context, reply, model, requests }, ask, head, tenant: tenantOf(request) };
    if (ask.background) return makeInBackground(making, request, background);
    const ending: ResponseEnding = { now: context.now, onLast: (last) => void keep(making, last) };
    return ask.stream
      ? answerStream(making.answering, new ResponseStream(head, ending))
      : answerJson(making.answering, new ResponseJson(head, ending));
  });

  app.post('/v1/responses/input_tokens', { schema: countSchema, preValidation: dropNulls }, async (request) => {
    const { model } = request.body;
    decoderManifest(findModel(host, model));
    const { previousId, prompt } = readConversation(request.body, limits);
    const tokens = await host.tokenize(model, prompt(await history(request, previousId)));
    return { object: 'response.input_tokens' as const, input_tokens: tokens.length };
  });

  app.get('/v1/responses/:id', { schema: readSchema }, async (request) => {
    refuseStream(request.query);
    const { id } = request.params;
    return background.get(tenantOf(request), id)?.look() ?? (await store.find(tenantOf(request), id)).response;
  });

  app.post('/v1/responses/:id/cancel', { schema: cancelSchema }, async (request) => {
    const { id } = request.params;
    await background.get(tenantOf(request), id)?.cancel();
    const found = await store.find(tenantOf(request), id);
    if (found.response['background'] === true) return found.response;
    throw new EngineError('invalid_request', 'Only a response in the background can be cancelled.', { param: 'response_id' });
  });

  app.delete('/v1/responses/:id', { schema: deleteSchema }, async (request) => {
    const { id } = request.params;
    await background.get(tenantOf(request), id)?.cancel();
    await store.remove(tenantOf(request), id);
    return { id, object: 'response' as const, deleted: true as const };
  });

  app.get('/v1/responses/:id/input_items', { schema: itemsSchema, validatorCompiler: queryCompiler }, async (request) =>
    listItems((await store.find(tenantOf(request), request.params.id)).input, request.query),
  );
}

interface Making {
  readonly answering: Answering;
  readonly ask: ResponseAsk;
  readonly head: ResponseHead;
  readonly tenant: string;
}

/** A response that cannot be kept is still an answer: the fault is logged. */
async function keep(making: Making, response: object): Promise<void> {
  if (!making.ask.store) return;
  const { log } = making.answering.context;
  await save(making, response, false).catch((err: unknown) => log.error({ err }, 'a response was not stored'));
}

/** @throws EngineError `responses_unavailable` */
function save({ answering, ask, head, tenant }: Making, response: object, isOpen: boolean): Promise<void> {
  const { input, previousId } = ask;
  const stored = { id: head.id, tenant, previousId, createdMs: head.createdMs, isOpen, input, response };
  return answering.context.responses.save(stored);
}

async function makeInBackground(making: Making, request: FastifyRequest, background: BackgroundResponses): Promise<object> {
  const { answering, head, tenant } = making;
  let kept = Promise.resolve();
  const onLast = (last: object): void => {
    kept = keep(making, last);
  };
  const format = new ResponseJson(head, { now: answering.context.now, onLast });
  const first = format.now();
  const run = answerDetached(answering, format);
  const opened = save(making, first, true);
  const ended = run.ended.then((outcome) => {
    if (outcome.kind === 'done') format.body(outcome.usage);
    else if (outcome.kind === 'cancelled') format.ended('cancelled');
    else format.ended('failed', outcome.error);
    if (outcome.kind === 'failed') request.trace?.failed(outcome.error.code);
    return kept;
  });
  request.workLeft = ended;
  const cancel = (): Promise<void> => {
    run.cancel();
    return ended;
  };
  background.add(head.id, { tenant, look: () => format.now(), cancel }, ended);
  await opened.catch((error: unknown) => {
    run.cancel();
    throw error;
  });
  return first;
}

function refuseStream(query: unknown): void {
  if (typeof query !== 'object' || query === null || !('stream' in query) || query.stream !== 'true') return;
  throw new EngineError('unsupported_parameter', 'A stored response is not streamed again; ask for it whole.', { param: 'stream' });
}
