// `GET /metrics`: for Prometheus.
import { Type } from 'typebox';
import type { GatewayApp } from '../context.ts';
import type { ConsoleServices } from './services.ts';

const schema = {
  tags: ['Health'],
  summary: 'Metrics for Prometheus',
  response: { 200: { description: 'The text format of Prometheus.', content: { 'text/plain': { schema: Type.String() } } } },
};

export function metricsRoute(app: GatewayApp, services: () => Promise<ConsoleServices>): void {
  app.get('/metrics', { schema }, async (_request, reply) => {
    const { contentType, body } = await (await services()).metrics.render();
    return reply.type(contentType).send(body);
  });
}
