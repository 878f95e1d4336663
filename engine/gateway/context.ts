// What every route of the gateway is given. Types only.
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { Access } from '../access/access.ts';
import type { ModelHost } from '../fleet/host.ts';
import type { RouterControl } from '../routing/router-control.ts';
import type { Activity } from './activity.ts';
import type { Limits } from './limits.ts';
import type { ResponseStore } from './responses/store/response-store.ts';
import type { ModelTraffic } from './tracing/model-traffic.ts';
import type { RecentWaits } from './tracing/recent-waits.ts';
import type { Traces } from './tracing/traces.ts';
import type { TokenMeter } from './token-meter.ts';

export type GatewayApp = FastifyInstance<RawServerDefault, IncomingMessage, ServerResponse, FastifyBaseLogger, TypeBoxTypeProvider>;

export interface GatewayContext {
  readonly host: ModelHost;
  /** Who may enter, by keys; null: whoever is at this machine. */
  readonly access: Access | null;
  /** How models are chosen; null where nobody needs to know. */
  readonly router: RouterControl | null;
  readonly limits: Limits;
  readonly activity: Activity;
  readonly meter: TokenMeter;
  readonly traces: Traces;
  readonly traffic: ModelTraffic;
  readonly waits: RecentWaits;
  /** Responses that are kept for what may follow. */
  readonly responses: ResponseStore;
  readonly log: FastifyBaseLogger;
  readonly version: string;
  readonly startedAtMs: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Base address once the server listens. */
  readonly address: () => string | null;
  /** Folder of the built page. */
  readonly pageDir: string;
}
