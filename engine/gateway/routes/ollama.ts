// Ollama's routes that read and generate: `/api/chat`, `/api/generate`, `/api/embed`, `/api/embeddings`, `/api/tags`, `/api/show`, `/api/ps`
// and `/api/version`. What they share with the console is the prefix alone.
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type, type TSchema } from 'typebox';
import { mayUseModel } from '../../access/caller.ts';
import { EngineError } from '../../errors.ts';
import type { GenerateRequest, HostedModel } from '../../fleet/host.ts';
import { refuseModel } from '../admit.ts';
import { answerJson, answerStream } from '../answering.ts';
import type { ConsoleServices } from '../console/services.ts';
import type { GatewayApp, GatewayContext } from '../context.ts';
import { encodeInputs } from '../encoding.ts';
import { sendJsonPieces } from '../json-pieces.ts';
import { chatText, generatedText, loadedAnswer, OllamaJson, OllamaStream, type OllamaShape } from '../ollama/answer.ts';
import { embedPieces } from '../ollama/embed-answer.ts';
import { KeptModels } from '../ollama/kept-models.ts';
import { installedModel, loadedModel, plainName, shownModel } from '../ollama/model-facts.ts';
import { chatBody, embedBody, embeddingsBody, generateBody, readChat, readGenerate } from '../ollama/requests.ts';
import * as schemas from '../ollama/schemas.ts';
import { readEmbedding } from '../openai/embedding-request.ts';
import { fillInText } from '../openai/fill-in.ts';
import { dropNullsWithin } from '../openai/nulls.ts';
import { decoderManifest, embeddingFacts } from './encoder-facts.ts';
import { findModel } from './find-model.ts';

const tags = ['Ollama'];
const preValidation = dropNullsWithin('messages', 'options');
const route = (summary: string, answer: Readonly<Record<string, object>>) => ({
  tags,
  summary,
  response: { ...schemas.ollamaErrors, ...answer } as Record<string, TSchema>,
});

const showBody = Type.Object({
  model: Type.Optional(Type.String({ minLength: 1 })),
  name: Type.Optional(Type.String({ minLength: 1, description: 'The older name of `model`.' })),
  verbose: Type.Optional(Type.Boolean({ description: 'Accepted; there is no more to tell.' })),
});

/** The version of Ollama whose API these routes follow: clients ask, and hold it against what they need. */
const OLLAMA_VERSION = '0.12.0';

export function ollamaRoutes(app: GatewayApp, context: GatewayContext, services: (() => Promise<ConsoleServices>) | null): void {
  const { host } = context;
  const kept = new KeptModels(services);
  textRoutes(app, context, kept);
  embedRoutes(app, context, kept);

  const permitted = ({ caller }: FastifyRequest): readonly HostedModel[] =>
    host.list().filter(({ manifest, origin }) => origin === undefined && (caller === null || mayUseModel(caller, manifest.id)));
  app.get('/api/tags', { schema: route('List the installed models', { 200: schemas.modelList }) }, async (request) => ({
    models: permitted(request).map(installedModel),
  }));
  app.get('/api/ps', { schema: route('List the loaded models', { 200: schemas.modelList }) }, async (request) => {
    const loaded = permitted(request).filter(({ state }) => state.kind === 'ready');
    return { models: loaded.map((model) => loadedModel(model, context.now())) };
  });
  app.post(
    '/api/show',
    { schema: { ...route('Look at a model', { 200: schemas.shownModel }), body: showBody }, preValidation },
    async (request) => {
      const name = nameOf(request.body);
      if (request.caller !== null) refuseModel(request.caller, name);
      return shownModel(findModel(host, plainName(name)));
    },
  );
  const version = { 200: Type.Object({ version: Type.String() }) };
  app.get('/api/version', { schema: route('The version of Ollama whose API this is', version) }, async () => ({ version: OLLAMA_VERSION }));
}

/** @throws EngineError `invalid_request` where neither name is given */
export function nameOf({ model, name }: { readonly model?: string; readonly name?: string }): string {
  const given = model ?? name;
  if (given === undefined) throw new EngineError('invalid_request', 'model is required.', { param: 'model' });
  return given;
}

function textRoutes(app: GatewayApp, context: GatewayContext, kept: KeptModels): void {
  const { host, limits } = context;
  const chat = { ...route('Answer a chat', schemas.lines(schemas.chatLine)), body: chatBody };
  app.post('/api/chat', { schema: chat, preValidation }, async (request, reply) => {
    const name = plainName(request.body.model);
    const ask = () => readChat(request.body, name, limits);
    return answerText({ context, kept, request, reply, name, body: request.body, ask, text: chatText });
  });
  const generate = { ...route('Go on with a text', schemas.lines(schemas.generateLine)), body: generateBody };
  app.post('/api/generate', { schema: generate, preValidation }, async (request, reply) => {
    const { body } = request;
    const name = plainName(body.model);
    const ask = async (model: HostedModel): Promise<GenerateRequest | null> => {
      const read = readGenerate(body, name, limits);
      if (read === null || body.suffix === undefined || body.suffix === '') return read;
      const text = await fillInText(host, name, model, { prefix: body.prompt ?? '', suffix: body.suffix });
      return { ...read, prompt: { kind: 'text', text } };
    };
    return answerText({ context, kept, request, reply, name, body, ask, text: generatedText });
  });
}

interface TextAsk {
  readonly context: GatewayContext;
  readonly kept: KeptModels;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  /** Of the model in the host. */
  readonly name: string;
  readonly body: { readonly model: string; readonly stream?: boolean; readonly keep_alive?: string | number };
  /** Null: the model is to be loaded, or unloaded. */
  readonly ask: (model: HostedModel) => GenerateRequest | null | Promise<GenerateRequest | null>;
  readonly text: OllamaShape['text'];
}

async function answerText({ context, kept, request, reply, name, body, ask, text }: TextAsk): Promise<unknown> {
  const { stream = true } = body;
  request.trace?.delivers({ streamed: stream });
  const model = findModel(context.host, name);
  decoderManifest(model);
  const shape: OllamaShape = { model: body.model, text, now: context.now, startedMs: context.now() };
  const asked = await ask(model);
  const keeps = await kept.keep(request.caller, name, body.keep_alive);
  if (asked === null) {
    if (keeps === 'unload') await kept.unload(name);
    else await context.host.tokenize(name, { kind: 'text', text: ' ' });
    return loadedAnswer(shape, keeps === 'unload' ? 'unload' : 'load');
  }
  const answering = { context, reply, model, requests: [asked] };
  return stream ? answerStream(answering, new OllamaStream(shape)) : answerJson(answering, new OllamaJson(shape));
}

function embedRoutes(app: GatewayApp, context: GatewayContext, kept: KeptModels): void {
  const { host, limits } = context;
  const embed = { ...route('Turn texts into vectors', { 200: schemas.embedAnswer }), body: embedBody };
  app.post('/api/embed', { schema: embed, preValidation }, async (request, reply) => {
    const { model, input, truncate = true, dimensions, keep_alive: keepAlive } = request.body;
    const name = plainName(model);
    const hosted = findModel(host, name);
    const facts = embeddingFacts(hosted);
    const startedMs = context.now();
    await kept.keep(request.caller, name, keepAlive);
    if (input.length === 0) return { model, embeddings: [], total_duration: 0, load_duration: 0, prompt_eval_count: 0 };
    const ask = readEmbedding({ model: name, input, truncate, ...(dimensions !== undefined && { dimensions }) }, facts, limits);
    const encoding = await encodeInputs({ context, request, reply, model: name, hosted, inputs: ask.inputs, truncate, field: 'input' });
    return encoding === null
      ? reply
      : sendJsonPieces(reply, embedPieces(encoding, { model, dimensions: ask.dimensions, ms: context.now() - startedMs }));
  });
  const embeddings = { ...route('Turn a text into a vector (older form)', { 200: schemas.embeddingAnswer }), body: embeddingsBody };
  app.post('/api/embeddings', { schema: embeddings, preValidation }, async (request, reply) => {
    const { model, prompt, keep_alive: keepAlive } = request.body;
    const name = plainName(model);
    const hosted = findModel(host, name);
    const facts = embeddingFacts(hosted);
    await kept.keep(request.caller, name, keepAlive);
    if (prompt === '') return { embedding: [] };
    const { inputs } = readEmbedding({ model: name, input: prompt }, facts, limits);
    const encoding = await encodeInputs({ context, request, reply, model: name, hosted, inputs, truncate: true, field: 'prompt' });
    return encoding === null ? reply : { embedding: [...encoding.values] };
  });
}
