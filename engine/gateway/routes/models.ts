// `GET /v1/models` and `GET /v1/models/{id}`.
import { Type } from 'typebox';
import { mayUseModel } from '../../access/caller.ts';
import type { HostedModel } from '../../fleet/host.ts';
import { contextLengthOf } from '../../models/manifest.ts';
import type { GatewayApp, GatewayContext } from '../context.ts';
import { refuseModel } from '../admit.ts';
import { useOf } from './encoder-facts.ts';
import { findModel } from './find-model.ts';
import { errorResponses } from './response-schemas.ts';

const nullable = <T extends Parameters<typeof Type.Union>[0][number]>(type: T) => Type.Union([type, Type.Null()]);

const modelSchema = Type.Object({
  id: Type.String(),
  object: Type.Literal('model'),
  created: Type.Integer({ description: 'Seconds since 1970.' }),
  owned_by: Type.String(),
  use: Type.Enum(['text', 'embedding', 'rerank', 'classify', 'infer'], { description: 'What the model is for.' }),
  dimensions: nullable(Type.Integer({ description: 'Of a vector; null for models that make none.' })),
  state: Type.Enum(['installed', 'loading', 'ready', 'failed']),
  context_window: nullable(Type.Integer({ description: 'Tokens of prompt and answer together; null until the model is loaded.' })),
  max_model_len: nullable(Type.Integer({ description: 'The same under another server’s name.' })),
  trained_context: Type.Integer({ description: 'Tokens the model was trained on; 0 for models that take no text.' }),
  slots: nullable(Type.Integer({ description: 'Sequences that decode together at most; null until the model is loaded.' })),
  precision: Type.String(),
  variant: Type.String(),
  device: nullable(Type.String()),
  parameter_count: Type.Integer(),
  size_bytes: Type.Integer(),
  licence: nullable(Type.String()),
});

const listSchema = {
  tags: ['Models'],
  summary: 'List the installed models',
  response: { 200: Type.Object({ object: Type.Literal('list'), data: Type.Array(modelSchema) }), ...errorResponses },
};
const oneSchema = {
  tags: ['Models'],
  summary: 'Look at one model',
  params: Type.Object({ id: Type.String() }),
  response: { 200: modelSchema, ...errorResponses },
};

export function modelRoutes(app: GatewayApp, { host }: GatewayContext): void {
  app.get('/v1/models', { schema: listSchema }, async ({ caller }) => {
    const models = host.list().filter(({ manifest }) => caller === null || mayUseModel(caller, manifest.id));
    return { object: 'list' as const, data: models.map(modelBody) };
  });
  app.get('/v1/models/:id', { schema: oneSchema }, async ({ params: { id }, caller }) => {
    if (caller !== null) refuseModel(caller, id);
    return modelBody(findModel(host, id));
  });
}

function modelBody(model: HostedModel) {
  const { manifest, variant, state } = model;
  const info = state.kind === 'ready' ? state.info : null;
  const files = manifest.variants[variant];
  return {
    id: manifest.id,
    object: 'model' as const,
    created: Math.floor(Date.parse(manifest.createdAt) / 1000) || 0,
    owned_by: 'millrace',
    use: useOf(model),
    dimensions: dimensionsOf(model),
    state: state.kind,
    context_window: info?.contextLength ?? null,
    max_model_len: info?.contextLength ?? null,
    trained_context: contextLengthOf(manifest),
    slots: info?.maxSlots ?? null,
    precision: files?.precision ?? info?.precision ?? variant,
    variant,
    device: info?.device ?? null,
    parameter_count: manifest.parameterCount,
    size_bytes: files?.sizeBytes ?? 0,
    licence: manifest.licence,
  };
}

function dimensionsOf({ manifest }: HostedModel): number | null {
  if (manifest.kind !== 'encoder' || manifest.config.head.kind !== 'embedding') return null;
  return manifest.config.head.dimensions;
}
