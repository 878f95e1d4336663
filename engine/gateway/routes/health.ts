// `GET /health` (the process answers) and `GET /ready` (it takes requests). Each decision is a pure function of what the host says.
import { Type } from 'typebox';
import type { HostedModel } from '../../fleet/host.ts';
import type { GatewayApp, GatewayContext } from '../context.ts';

const readiness = Type.Object({
  status: Type.Enum(['ready', 'loading', 'no_model', 'failed', 'paused', 'draining']),
  models: Type.Array(Type.Object({ id: Type.String(), state: Type.String(), reason: Type.Union([Type.String(), Type.Null()]) })),
});

const healthSchema = {
  tags: ['Health'],
  summary: 'Whether the server answers',
  response: { 200: Type.Object({ status: Type.Literal('ok'), version: Type.String(), uptime_seconds: Type.Number() }) },
};
const readySchema = {
  tags: ['Health'],
  summary: 'Whether the server takes requests',
  description:
    '200 when a model is loaded, or is loaded by the first request for it; 503 with the reason otherwise. Models are named to callers with a key, where one is needed.',
  response: { 200: readiness, 503: readiness },
};

export function healthRoutes(app: GatewayApp, context: GatewayContext): void {
  app.get('/health', { schema: healthSchema }, async () => ({
    status: 'ok' as const,
    version: context.version,
    uptime_seconds: Math.round((context.now() - context.startedAtMs) / 100) / 10,
  }));
  app.get('/ready', { schema: readySchema }, async ({ caller }, reply) => {
    const models = context.host.list();
    const status = decideReadiness(models, context.activity.state);
    const list = models.map(({ manifest, state }) => ({
      id: manifest.id,
      state: state.kind,
      reason: state.kind === 'failed' ? state.reason : null,
    }));
    return reply.code(status === 'ready' ? 200 : 503).send({ status, models: caller === null ? [] : list });
  });
}

export type Readiness = 'ready' | 'loading' | 'no_model' | 'failed' | 'paused' | 'draining';

/** One loaded model is enough; without one, a load under way is worth waiting for. */
export function decideReadiness(models: readonly HostedModel[], state: 'serving' | 'paused' | 'draining'): Readiness {
  if (state !== 'serving') return state;
  if (models.length === 0) return 'no_model';
  const states = new Set(models.map(({ state }) => state.kind));
  if (states.has('ready')) return 'ready';
  if (states.has('loading')) return 'loading';
  return states.has('installed') ? 'ready' : 'failed';
}
