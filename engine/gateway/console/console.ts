// Registers the console's own API: everything under `/api` beyond the status, and `/metrics`.
import type { GatewayApp, GatewayContext } from '../context.ts';
import { alertRoutes } from './alerts.ts';
import { canaryRoutes } from './canary.ts';
import { costRoute } from './cost.ts';
import { historyRoutes } from './history.ts';
import { jobRoutes } from './jobs.ts';
import { labRoutes } from './lab.ts';
import { liveRoute } from './live.ts';
import { metricsRoute } from './metrics.ts';
import { modelControlRoutes } from './models.ts';
import { pauseRoutes } from './pause.ts';
import type { ConsoleServices } from './services.ts';
import { routerRoutes } from './router.ts';
import { settingsRoutes } from './settings.ts';

/** `services` may still be starting: requests that need them wait. Returns how to end the live streams. */
export function consoleRoutes(app: GatewayApp, context: GatewayContext, services: () => Promise<ConsoleServices>): () => void {
  pauseRoutes(app, context);
  historyRoutes(app, context, services);
  costRoute(app, context, services);
  settingsRoutes(app, services);
  alertRoutes(app, context, services);
  modelControlRoutes(app, context, services);
  jobRoutes(app, services);
  labRoutes(app, services);
  metricsRoute(app, services);
  if (context.router !== null) {
    routerRoutes(app, context.router);
    canaryRoutes(app, context.router.canaries, services);
  }
  return liveRoute(app, context, services);
}
