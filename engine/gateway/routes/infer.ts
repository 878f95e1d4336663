// The Open Inference Protocol v2 for ordinary ONNX models: `/v2/…`, and the same request at `POST /v1/infer/{model}`.
// https://github.com/kserve/open-inference-protocol
import type { FastifyReply } from 'fastify';
import { Type } from 'typebox';
import { refuseModel, requestCaller } from '../admit.ts';
import type { GatewayApp, GatewayContext } from '../context.ts';
import { answerWhole, callerOf, deadlineOf } from '../encoding.ts';
import { inferAnswer, modelMetadata } from '../infer/infer-answer.ts';
import { inferBody, readInfer } from '../infer/infer-request.ts';
import { inferManifest } from './encoder-facts.ts';
import { findModel } from './find-model.ts';
import { decideReadiness } from './health.ts';
import { errorResponses } from './response-schemas.ts';

const tags = ['Inference'];
const params = Type.Object({ model: Type.String() });
const tensor = { name: Type.String(), datatype: Type.String(), shape: Type.Array(Type.Integer()) };
const inferSchema = {
  tags,
  summary: 'Run an ONNX model on tensors',
  description:
    'The Open Inference Protocol v2 in JSON. Requests that wait together share one run along the first dimension, where the model allows it.',
  params,
  body: inferBody,
  response: {
    200: Type.Object({
      model_name: Type.String(),
      model_version: Type.String(),
      id: Type.Optional(Type.String()),
      outputs: Type.Array(
        Type.Object({
          ...tensor,
          data: Type.Array(Type.Union([Type.Number(), Type.Boolean(), Type.Null()]), {
            description: 'Flat, in row-major order; null for what JSON cannot write: infinities and NaN.',
          }),
        }),
      ),
    }),
    ...errorResponses,
  },
};
const metadataSchema = {
  tags,
  summary: 'What an ONNX model takes and gives',
  params,
  response: {
    200: Type.Object({
      name: Type.String(),
      versions: Type.Array(Type.String()),
      platform: Type.String(),
      inputs: Type.Array(Type.Object(tensor, { description: 'A size of -1 is free.' })),
      outputs: Type.Array(Type.Object(tensor)),
    }),
    ...errorResponses,
  },
};
const modelReady = Type.Object({ name: Type.String(), ready: Type.Boolean() });
const modelReadySchema = {
  tags,
  summary: 'Whether a model takes requests',
  description: 'A model that is not loaded does too: the first request loads it.',
  params,
  response: { 200: modelReady, 503: modelReady, ...errorResponses },
};
const serverSchema = {
  tags,
  summary: 'Name and version of the server',
  response: { 200: Type.Object({ name: Type.String(), version: Type.String(), extensions: Type.Array(Type.String()) }) },
};
const liveSchema = { tags, summary: 'Whether the server answers', response: { 200: Type.Object({ live: Type.Boolean() }) } };
const serverReady = Type.Object({ ready: Type.Boolean() });
const readySchema = { tags, summary: 'Whether the server takes requests', response: { 200: serverReady, 503: serverReady } };

export function inferRoutes(app: GatewayApp, context: GatewayContext): void {
  const { host, activity, version } = context;
  app.get('/v2', { schema: serverSchema }, async () => ({ name: 'millrace', version, extensions: [] }));
  app.get('/v2/health/live', { schema: liveSchema }, async () => ({ live: true }));
  app.get('/v2/health/ready', { schema: readySchema }, async (_, reply) => {
    const ready = decideReadiness(host.list(), activity.state) === 'ready';
    return reply.code(ready ? 200 : 503).send({ ready });
  });
  app.get('/v2/models/:model', { schema: metadataSchema }, async ({ params: { model }, caller }) => {
    if (caller !== null) refuseModel(caller, model);
    return modelMetadata(inferManifest(findModel(host, model)));
  });
  app.get('/v2/models/:model/ready', { schema: modelReadySchema }, async ({ params: { model }, caller }, reply) => {
    if (caller !== null) refuseModel(caller, model);
    const ready = activity.state === 'serving' && findModel(host, model).state.kind !== 'failed';
    return reply.code(ready ? 200 : 503).send({ name: model, ready });
  });
  for (const path of ['/v1/infer/:model', '/v2/models/:model/infer']) inferRoute(app, context, path);
}

function inferRoute(app: GatewayApp, context: GatewayContext, path: string): void {
  const { host, limits } = context;
  app.post(path, { schema: inferSchema }, async (request, reply) => {
    const { body, caller } = request;
    const { model } = request.params;
    request.trace?.asked({ model });
    if (caller !== null) refuseModel(caller, model);
    const hosted = findModel(host, model);
    const { inputs, outputs } = readInfer(body, inferManifest(hosted).config);
    const work = { caller: callerOf(request), deadlineMs: deadlineOf(request, limits.encodeMs) };
    const answer = await answerWhole({ context, request, reply, hosted, model }, (charging, signal) =>
      host.infer({ model, inputs, outputs, params: work, caller: requestCaller(request), ...charging }, signal),
    );
    if (answer === null) return reply;
    const text: unknown = inferAnswer(hosted, body, answer, limits.inferValues);
    return (reply as FastifyReply).type('application/json; charset=utf-8').send(text);
  });
}
