// Ollama's routes that change which models there are: `/api/pull` and `/api/delete`. They steer the server, as the console does.
import { Type } from 'typebox';
import type { ConsoleServices } from '../console/services.ts';
import { takeOver } from '../answering.ts';
import type { GatewayApp, GatewayContext } from '../context.ts';
import { line } from '../ollama/answer.ts';
import { plainName } from '../ollama/model-facts.ts';
import { pullJob, pullLines } from '../ollama/pull.ts';
import * as schemas from '../ollama/schemas.ts';
import { dropNullsWithin } from '../openai/nulls.ts';
import { NDJSON_WIRE } from '../sse.ts';
import { findModel } from './find-model.ts';
import { nameOf } from './ollama.ts';

const tags = ['Ollama'];
const names = {
  model: Type.Optional(Type.String({ minLength: 1, maxLength: 1_024 })),
  name: Type.Optional(Type.String({ minLength: 1, maxLength: 1_024, description: 'The older name of `model`.' })),
};
const pullSchema = {
  tags,
  summary: 'Download and convert a model',
  description: 'A job of the server, which goes on when the client leaves; names are those of `millrace pull`.',
  body: Type.Object({
    ...names,
    insecure: Type.Optional(Type.Boolean({ description: 'Accepted; sources are checked all the same.' })),
    stream: Type.Optional(Type.Boolean({ description: 'One JSON object a line. Default true.' })),
  }),
  response: schemas.lines(schemas.pullLine),
};
const deleteSchema = {
  tags,
  summary: 'Remove a model',
  body: Type.Object(names),
  response: { 200: Type.String(), ...schemas.ollamaErrors },
};

export function ollamaModelRoutes(app: GatewayApp, { host }: GatewayContext, services: () => Promise<ConsoleServices>): void {
  app.post('/api/pull', { schema: pullSchema, preValidation: dropNullsWithin() }, async (request, reply) => {
    const { stream = true } = request.body;
    const name = plainName(nameOf(request.body));
    const gone = new AbortController();
    reply.raw.once('close', () => gone.abort());
    const lines = host.get(name) === undefined ? await beginPull(await services(), name, gone.signal) : alreadyThere();
    if (!stream) return reply.send(await lastOf(lines));
    takeOver(reply);
    reply.raw.writeHead(200, NDJSON_WIRE.headers);
    for await (const one of lines) reply.raw.write(line(one));
    reply.raw.end();
    return reply;
  });
  app.delete('/api/delete', { schema: deleteSchema, preValidation: dropNullsWithin() }, async (request, reply) => {
    const { manifest } = findModel(host, plainName(nameOf(request.body)));
    await (await services()).models.remove(manifest.id);
    return reply.code(200).send('');
  });
}

async function beginPull({ jobs }: ConsoleServices, name: string, signal: AbortSignal): Promise<AsyncIterable<object>> {
  return pullLines(jobs, pullJob(jobs, name).id, signal);
}

async function* alreadyThere(): AsyncGenerator<object> {
  yield { status: 'pulling manifest' };
  yield { status: 'success' };
}

async function lastOf(lines: AsyncIterable<object>): Promise<object> {
  let last: object = {};
  for await (const one of lines) last = one;
  return last;
}
