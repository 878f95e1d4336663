// `GET` and `PUT /api/settings`. The settings' own limits are the ledger's business; a secret is never read back.
import type { Settings } from '../../contract.ts';
import type { GatewayApp } from '../context.ts';
import { errorResponses } from '../routes/response-schemas.ts';
import { settings, settingsPatch } from './response-schemas.ts';
import type { ConsoleServices } from './services.ts';

const getSchema = { tags: ['Console'], summary: 'The settings', response: { 200: settings, ...errorResponses } };
const putSchema = {
  tags: ['Console'],
  summary: 'Change settings',
  description: 'Answers with all settings once the change is durable. A value outside its limits is refused by name, and nothing changes.',
  body: settingsPatch,
  response: { 200: settings, ...errorResponses },
};

export function settingsRoutes(app: GatewayApp, services: () => Promise<ConsoleServices>): void {
  app.get('/api/settings', { schema: getSchema }, async () => withoutSecret((await services()).ledger.settings));
  app.put('/api/settings', { schema: putSchema }, async ({ body }) => {
    const { ledger } = await services();
    // The ledger checks the whole of it.
    return withoutSecret(await ledger.changeSettings(body));
  });
}

function withoutSecret(whole: Settings): Settings {
  const { webhookSecret } = whole.alerts;
  return { ...whole, alerts: { ...whole.alerts, webhookSecret: webhookSecret === null ? null : 'set' } };
}
