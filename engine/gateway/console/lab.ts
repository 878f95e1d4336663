// `/api/models/:id/variants` and what belongs to it: make and measure a variant, let it answer, go back.
import { Type } from 'typebox';
import type { ModelVariants } from '../../contract.ts';
import type { GatewayApp } from '../context.ts';
import { errorResponses } from '../routes/response-schemas.ts';
import { jobStatus, nullable, shaped } from './response-schemas.ts';
import type { ConsoleServices } from './services.ts';

const text = Type.String();
const number = Type.Number();
const share = (description: string) => Type.Number({ description });

const speed = Type.Object({
  memoryBytes: Type.Number({ description: 'Resident memory that loading and a first run added.' }),
  loadMs: number,
  prefillPerSecond: nullable(number),
  decodePerSecond: nullable(number),
  textsPerSecond: nullable(number),
});
const textName = Type.Enum(['bundled', 'own']);
const quality = Type.Union([
  Type.Object({
    kind: Type.Literal('decoder'),
    text: textName,
    positions: Type.Integer(),
    perplexity: number,
    referencePerplexity: Type.Number({ description: 'Of float32.' }),
    top1Agreement: share('Share of positions whose most likely token is the same.'),
    meanKl: Type.Number({ description: 'Of float32 from the variant, nats.' }),
  }),
  Type.Object({
    kind: Type.Literal('encoder'),
    text: textName,
    texts: Type.Integer(),
    meanCosine: number,
    worstCosine: number,
    recallAt10: nullable(number),
  }),
]);
const measured = Type.Object({
  atMs: number,
  processor: text,
  threads: Type.Integer(),
  othersBusy: share('Share of all processors that others used just before.'),
  speed,
  referenceSpeed: speed,
  quality: Type.Array(quality),
});
const range = Type.Array(number, { minItems: 2, maxItems: 2, description: 'From, to.' });

const modelVariants = shaped<ModelVariants>()(
  Type.Object({
    model: text,
    kind: Type.Enum(['decoder', 'encoder', 'infer']),
    defaultVariant: Type.String({ description: 'What the plain model name means.' }),
    previousVariant: nullable(Type.String({ description: 'What a rollback goes back to.' })),
    hasOwnText: Type.Boolean(),
    variants: Type.Array(
      Type.Object({
        name: text,
        precision: text,
        method: text,
        sizeBytes: Type.Integer(),
        bitsPerWeight: Type.Number({ description: 'All tensors counted.' }),
        isDefault: Type.Boolean(),
        measured: nullable(measured),
        expected: nullable(Type.Object({ memoryShare: number, speed: range, loss: range })),
        gate: Type.Object({ allowed: Type.Boolean(), reason: text }),
      }),
    ),
  }),
);

const params = Type.Object({ id: Type.String() });
const table = (summary: string, description: string) => ({
  tags: ['Console'],
  summary,
  description,
  params,
  response: { 200: modelVariants, ...errorResponses },
});
const variantName = Type.String({ minLength: 1, maxLength: 96 });
const precision = Type.Enum(['fp32', 'int8', 'int4']);
const modelName = Type.String({ minLength: 1, maxLength: 96, description: 'Id of an installed model.' });
const MOST_TEXT = 400_000;

const listSchema = table("A model's variants", 'What each takes and loses, measured beside float32, and whether it may be promoted.');
const promoteSchema = {
  ...table('Let another variant answer', 'It is loaded first; running requests finish on the one before. Refused when it loses too much.'),
  body: Type.Object({ variant: variantName, force: Type.Optional(Type.Boolean({ description: 'Whatever was measured.' })) }),
};
const rollbackSchema = table('Go back to the variant before', 'Undoes the last promotion.');
const textSchema = {
  ...table('Set a text to measure on', 'Variants are measured on it as well from now on; null removes it.'),
  body: Type.Object({ text: nullable(Type.String({ maxLength: MOST_TEXT })) }),
};
const job = (summary: string) => ({ tags: ['Console'], summary, response: { 201: jobStatus, ...errorResponses } });
const quantiseSchema = {
  ...job('Make one more variant of a model, and measure it'),
  body: Type.Object({
    model: modelName,
    precision,
    anew: Type.Optional(Type.Boolean({ description: 'int4: round the weights of a 4-bit file anew, instead of keeping them exactly.' })),
  }),
};
const evaluateSchema = { ...job('Measure a variant'), body: Type.Object({ model: modelName, variant: variantName }) };

export function labRoutes(app: GatewayApp, services: () => Promise<ConsoleServices>): void {
  const listed = async (id: string): Promise<ModelVariants> => {
    const { variants, ledger } = await services();
    return variants.list(id, ledger.settings.quality);
  };
  app.get('/api/models/:id/variants', { schema: listSchema }, ({ params: { id } }) => listed(id));
  app.post('/api/models/:id/promote', { schema: promoteSchema }, async ({ params: { id }, body: { variant, force = false } }) => {
    const { variants, ledger } = await services();
    await variants.promote({ model: id, variant, force }, ledger.settings.quality);
    return listed(id);
  });
  app.post('/api/models/:id/rollback', { schema: rollbackSchema }, async ({ params: { id } }) => {
    await (await services()).variants.rollBack(id);
    return listed(id);
  });
  app.put('/api/models/:id/text', { schema: textSchema }, async ({ params: { id }, body: { text: own } }) => {
    await (await services()).variants.setText(id, own);
    return listed(id);
  });
  app.post('/api/jobs/quantise', { schema: quantiseSchema }, async ({ body }, reply) => {
    const { lab, variants, ledger } = await services();
    // A name that is not installed is refused now, and not by the job.
    await variants.list(body.model, ledger.settings.quality);
    return reply.code(201).send(lab.quantise({ model: body.model, precision: body.precision, anew: body.anew ?? false }));
  });
  app.post('/api/jobs/evaluate', { schema: evaluateSchema }, async ({ body }, reply) => {
    const { lab, variants, ledger } = await services();
    await variants.list(body.model, ledger.settings.quality);
    return reply.code(201).send(lab.evaluate(body));
  });
}
