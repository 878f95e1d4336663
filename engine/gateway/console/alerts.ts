// `GET /api/alerts`, snoozing one, a test of the webhook, and the objectives that alerts judge by.
import { Type } from 'typebox';
import type { AlertsAnswer, SlosAnswer } from '../../contract.ts';
import { EngineError } from '../../errors.ts';
import type { GatewayApp, GatewayContext } from '../context.ts';
import { invalid } from '../openai/faults.ts';
import { errorResponses } from '../routes/response-schemas.ts';
import { alertsAnswer, nullable, slosAnswer, webhookTest } from './response-schemas.ts';
import type { ConsoleServices } from './services.ts';

const HISTORY = 200;
const MOST_MINUTES = 31 * 24 * 60;

const getSchema = { tags: ['Console'], summary: 'Rules, and what fires and fired', response: { 200: alertsAnswer, ...errorResponses } };
const snoozeSchema = {
  tags: ['Console'],
  summary: 'Silence an alert for a while',
  params: Type.Object({ id: Type.String() }),
  body: Type.Object({
    minutes: nullable(Type.Number({ minimum: 0, maximum: MOST_MINUTES, description: 'Null or 0: let it speak again.' })),
  }),
  response: { 200: Type.Object({ snoozedUntilMs: nullable(Type.Number()) }), ...errorResponses },
};
const testSchema = {
  tags: ['Console'],
  summary: 'Send a test to the webhook',
  description: 'Tries once, as the settings are stored. Answers 200 whether it worked or not.',
  response: { 200: webhookTest, ...errorResponses },
};

const slosSchema = {
  tags: ['Console'],
  summary: 'The service level objectives in force',
  description: 'Of each model, with where they come from. They are changed in the settings, under `slos`.',
  response: { 200: slosAnswer, ...errorResponses },
};

export function alertRoutes(app: GatewayApp, { now, host }: GatewayContext, services: () => Promise<ConsoleServices>): void {
  app.get('/api/alerts', { schema: getSchema }, async (): Promise<AlertsAnswer> => {
    const { ledger, alerts } = await services();
    return { rules: ledger.settings.alerts.rules, active: alerts.active(), history: await ledger.alertHistory(HISTORY) };
  });
  app.post('/api/alerts/:id/snooze', { schema: snoozeSchema }, async ({ params: { id }, body: { minutes } }) => {
    const { alerts } = await services();
    const snoozedUntilMs = minutes === null || minutes === 0 ? null : now() + minutes * 60_000;
    if (!alerts.snooze(id, snoozedUntilMs))
      throw new EngineError('not_found', `No alert ${JSON.stringify(id)} fires now.`, { param: 'id' });
    return { snoozedUntilMs };
  });
  app.post('/api/alerts/test-webhook', { schema: testSchema }, async () => {
    const { alerts } = await services();
    return (await alerts.testWebhook()) ?? noWebhook();
  });
  app.get('/api/slos', { schema: slosSchema }, async (): Promise<SlosAnswer> => {
    const { ledger, alerts } = await services();
    const { fallback, models } = ledger.settings.slos;
    const served = host.list().filter(({ origin }) => origin !== 'route');
    const ids = new Set([...served.map(({ manifest }) => manifest.id), ...Object.keys(models)]);
    return { fallback, models: [...ids].sort().map((id) => alerts.sloOf(id)) };
  });
}

function noWebhook(): never {
  throw invalid('alerts.webhookUrl', 'No webhook is set; set alerts.webhookUrl first.');
}
