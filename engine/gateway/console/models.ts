// `/api/models/…`: load, unload, pin and remove models. What takes long answers 202 at once; the live feed shows how it goes.
import { Type } from 'typebox';
import type { ModelStatus } from '../../contract.ts';
import type { ModelControl } from '../../fleet/control.ts';
import type { GatewayApp, GatewayContext } from '../context.ts';
import { findModel } from '../routes/find-model.ts';
import { errorResponses } from '../routes/response-schemas.ts';
import { changePin, type PinChange } from './pins.ts';
import { anyModelStatus, removal } from './response-schemas.ts';
import type { ConsoleServices } from './services.ts';
import { modelStatus } from './status.ts';

const params = Type.Object({ id: Type.String() });
const begun = (summary: string) => ({ tags: ['Console'], summary, params, response: { 202: anyModelStatus, ...errorResponses } });
const changed = (summary: string) => ({ tags: ['Console'], summary, params, response: { 200: anyModelStatus, ...errorResponses } });
const removeSchema = {
  tags: ['Console'],
  summary: 'Remove a model',
  description: 'It is gone at once, and can be restored for ten seconds.',
  params,
  response: { 200: removal, ...errorResponses },
};
const restoreSchema = {
  tags: ['Console'],
  summary: 'Bring a removed model back',
  params,
  response: { 200: Type.Object({ id: Type.String() }), ...errorResponses },
};

export function modelControlRoutes(app: GatewayApp, context: GatewayContext, services: () => Promise<ConsoleServices>): void {
  const { host, log, meter, now } = context;
  const statusOf = (id: string): ModelStatus => modelStatus(findModel(host, id), meter.rate(id, now()));
  const begin = async (id: string, work: (models: ModelControl) => Promise<unknown>): Promise<ModelStatus> => {
    findModel(host, id);
    const { models } = await services();
    // Its end is for the live feed to tell; how a load fails is part of the model's state.
    void work(models).catch((err: unknown) => log.error({ err, model: id }, 'a change of a model failed'));
    return statusOf(id);
  };
  app.post('/api/models/:id/load', { schema: begun('Load a model') }, async ({ params: { id } }, reply) =>
    reply.code(202).send(await begin(id, (models) => models.preload(id))),
  );
  app.post('/api/models/:id/unload', { schema: begun('Unload a model') }, async ({ params: { id } }, reply) =>
    reply.code(202).send(await begin(id, (models) => models.unload(id))),
  );
  const pin = async (change: PinChange): Promise<ModelStatus> => {
    findModel(host, change.id);
    await changePin((await services()).ledger, change);
    return statusOf(change.id);
  };
  app.post('/api/models/:id/pin', { schema: changed('Keep a model loaded') }, ({ params: { id } }) => pin({ id, pinned: true }));
  app.post('/api/models/:id/unpin', { schema: changed('Let a model be unloaded') }, ({ params: { id } }) => pin({ id, pinned: false }));
  app.delete('/api/models/:id', { schema: removeSchema }, async ({ params: { id } }) => {
    findModel(host, id);
    return (await services()).models.remove(id);
  });
  app.post('/api/models/:id/restore', { schema: restoreSchema }, async ({ params: { id } }) => {
    await (await services()).models.restore(id);
    return { id };
  });
}
