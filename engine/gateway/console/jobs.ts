// `/api/jobs/…` and `/api/catalogue`: pulls as jobs, and what can be pulled by name.
import { Type } from 'typebox';
import type { GatewayApp } from '../context.ts';
import { errorResponses } from '../routes/response-schemas.ts';
import { catalogue, jobList, jobStatus, nullable } from './response-schemas.ts';
import type { ConsoleServices, KnownModel } from './services.ts';

const params = Type.Object({ id: Type.String() });
const one = (summary: string) => ({ tags: ['Console'], summary, params, response: { 200: jobStatus, ...errorResponses } });

const listSchema = { tags: ['Console'], summary: 'Jobs of the last hour', response: { 200: jobList, ...errorResponses } };
const pullSchema = {
  tags: ['Console'],
  summary: 'Download and convert a model',
  body: Type.Object({
    name: Type.String({ minLength: 1, maxLength: 1_024, description: 'Of the catalogue or the hub, an address, or a path on the server.' }),
    precision: Type.Optional(nullable(Type.String({ pattern: '^(fp32|fp16|int8|int4)(,(fp32|fp16|int8|int4)){0,3}$' }))),
  }),
  response: { 201: jobStatus, ...errorResponses },
};
const catalogueSchema = {
  tags: ['Console'],
  summary: 'Models that can be pulled by a short name',
  response: { 200: catalogue, ...errorResponses },
};

export function jobRoutes(app: GatewayApp, services: () => Promise<ConsoleServices>): void {
  app.get('/api/catalogue', { schema: catalogueSchema }, async () => {
    const { catalogue: known, variants } = await services();
    const bytesPerSecond = await variants.decodeBytesPerSecond();
    return known().map((model) => ({ ...model, tokensPerSecond: expectedSpeed(model, bytesPerSecond) }));
  });
  app.get('/api/jobs', { schema: listSchema }, async () => (await services()).jobs.list());
  app.post('/api/jobs/pull', { schema: pullSchema }, async ({ body: { name, precision = null } }, reply) =>
    reply.code(201).send((await services()).jobs.pull({ name, precision })),
  );
  app.post('/api/jobs/:id/pause', { schema: one('Pause a job') }, async ({ params: { id } }) => (await services()).jobs.pause(id));
  app.post('/api/jobs/:id/resume', { schema: one('Resume a job') }, async ({ params: { id } }) => (await services()).jobs.resume(id));
  app.delete('/api/jobs/:id', { schema: one('End a job, or forget one that has ended') }, async ({ params: { id } }) =>
    (await services()).jobs.cancel(id),
  );
}

/** One stream of a decoder is bound by reading its weights, so its speed follows from what was read of others in a second. */
function expectedSpeed({ use, sizeBytes }: KnownModel, bytesPerSecond: number | null): number | null {
  return use !== 'text' || bytesPerSecond === null ? null : bytesPerSecond / sizeBytes;
}
