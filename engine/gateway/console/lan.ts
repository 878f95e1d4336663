// `/api/lan`: the switch that lets other machines in, and how they find the server.
import { Type } from 'typebox';
import type { LanStatus } from '../../contract.ts';
import type { GatewayApp } from '../context.ts';
import { errorResponses } from '../routes/response-schemas.ts';
import { lanStatus } from './access-schemas.ts';

/** The switch as the console turns it. */
export interface LanControl {
  readonly status: LanStatus;
  /** Names by which requests may call this server while the switch is on. */
  readonly hostNames: readonly string[];
  /** In PEM; null while the switch is off. */
  readonly authorityCertificate: string | null;
  /** @throws EngineError `invalid_request` without a key or for a port that is taken, `access_unavailable` */
  turn(enabled: boolean): Promise<LanStatus>;
}

const getSchema = {
  tags: ['Console'],
  summary: 'Whether other machines may use the server',
  response: { 200: lanStatus, ...errorResponses },
};
const putSchema = {
  tags: ['Console'],
  summary: 'Let other machines in, or keep them out',
  description: 'Takes an API key that is valid. The server then answers by TLS, and is announced by mDNS.',
  body: Type.Object({ enabled: Type.Boolean() }),
  response: { 200: lanStatus, ...errorResponses },
};

export function lanRoutes(app: GatewayApp, lan: () => LanControl): void {
  app.get('/api/lan', { schema: getSchema }, async () => lan().status);
  app.put('/api/lan', { schema: putSchema }, async ({ body }) => lan().turn(body.enabled));
}
