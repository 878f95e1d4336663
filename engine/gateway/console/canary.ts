// `/api/models/:id/canary`: a variant answers a share of a model's conversations until a rule promotes it or takes it back.
import { Type } from 'typebox';
import type { CanaryNow } from '../../contract.ts';
import { EngineError } from '../../errors.ts';
import type { CanaryControl } from '../../routing/canary/canary-control.ts';
import type { GatewayApp } from '../context.ts';
import { errorResponses } from '../routes/response-schemas.ts';
import { nullable, shaped } from './response-schemas.ts';
import type { ConsoleServices } from './services.ts';

const text = Type.String();
const number = Type.Number();
const arm = Type.Object({
  variant: text,
  requests: Type.Integer(),
  failures: Type.Integer(),
  ttftMs: nullable(Type.Number({ description: 'Median.' })),
  tokenMs: nullable(Type.Number({ description: 'Median time of a token after the first.' })),
});
const status = Type.Object({
  model: text,
  share: number,
  leastRequests: Type.Integer(),
  startedMs: number,
  endedMs: nullable(number),
  canary: arm,
  baseline: arm,
  quality: Type.String({ description: 'What was measured before it began.' }),
  verdict: Type.Object({ kind: Type.Enum(['wait', 'promote', 'rollback', 'stopped']), reason: text }),
});
const canaryNow = shaped<CanaryNow>()(
  Type.Object({ running: nullable(status), ended: Type.Array(status, { description: 'Newest first.' }) }),
);

const operation = (summary: string, description: string) => ({
  tags: ['Console'],
  summary,
  description,
  params: Type.Object({ id: Type.String() }),
  response: { 200: canaryNow, ...errorResponses },
});
const readSchema = operation("A model's canary", 'Both arms side by side, the verdict so far, and how earlier ones ended.');
const startSchema = {
  ...operation('Let a variant answer a share of conversations', 'Refused when it loses too much, and for models that write no text.'),
  body: Type.Object({
    variant: Type.String({ minLength: 1, maxLength: 96 }),
    share: Type.Optional(Type.Number({ minimum: 0.01, maximum: 0.9, description: 'Of conversations; default 0.1.' })),
    leastRequests: Type.Optional(
      Type.Integer({ minimum: 5, maximum: 100_000, description: 'Answers before it can be promoted; default 50.' }),
    ),
    force: Type.Optional(Type.Boolean({ description: 'Whatever was measured.' })),
  }),
};
const stopSchema = operation('End a canary', 'The variant that answered before answers all conversations again.');

const USUAL_SHARE = 0.1;
const USUAL_LEAST = 50;

export function canaryRoutes(app: GatewayApp, canaries: CanaryControl, services: () => Promise<ConsoleServices>): void {
  app.get('/api/models/:id/canary', { schema: readSchema }, async ({ params: { id } }) => canaries.of(id));
  app.post('/api/models/:id/canary', { schema: startSchema }, async ({ params: { id }, body }) => {
    const { variant, share = USUAL_SHARE, leastRequests = USUAL_LEAST, force = false } = body;
    const { baseline, quality } = await readied(await services(), { id, variant, force });
    canaries.start({ model: id, variant, baseline, share, leastRequests, quality });
    return canaries.of(id);
  });
  app.delete('/api/models/:id/canary', { schema: stopSchema }, async ({ params: { id } }) => {
    canaries.stop(id);
    return canaries.of(id);
  });
}

interface Wish {
  readonly id: string;
  readonly variant: string;
  readonly force: boolean;
}

/** The variant is judged and loaded first, so that no conversation waits for it. */
async function readied({ variants, ledger, models }: ConsoleServices, { id, variant, force }: Wish) {
  const table = await variants.list(id, ledger.settings.quality);
  const found = table.variants.find(({ name }) => name === variant);
  if (found === undefined) throw new EngineError('model_not_found', `The model ${id} has no variant ${variant}.`, { param: 'variant' });
  // Vectors of two variants cannot be compared with each other.
  if (table.kind !== 'decoder')
    throw new EngineError('invalid_request', `${id} makes vectors, and those of two variants do not mix; promote ${variant} instead.`, {
      param: 'model',
    });
  if (!found.gate.allowed && !force) throw new EngineError('quality_below_bar', found.gate.reason, { param: 'variant' });
  await models.refresh();
  const state = await models.preload(`${id}:${variant}`);
  if (state.kind === 'failed')
    throw new EngineError('model_load_failed', `${variant} cannot be loaded: ${state.reason}`, { param: 'variant' });
  return { baseline: table.defaultVariant, quality: found.gate.reason };
}
