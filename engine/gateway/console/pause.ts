// `POST /api/pause` and `/api/resume`: whether the server takes requests. What runs goes on, and so does the console.
import { Type } from 'typebox';
import type { GatewayApp, GatewayContext } from '../context.ts';

const state = Type.Object({ state: Type.Enum(['serving', 'paused', 'draining']) });
const pauseSchema = {
  tags: ['Console'],
  summary: 'Take no new requests',
  description: 'They are refused with 503 `paused` until the server is resumed or started again.',
  response: { 200: state },
};
const resumeSchema = { tags: ['Console'], summary: 'Take requests again', response: { 200: state } };

export function pauseRoutes(app: GatewayApp, { activity }: GatewayContext): void {
  const set = (paused: boolean) => {
    activity.setPaused(paused);
    return { state: activity.state };
  };
  app.post('/api/pause', { schema: pauseSchema }, async () => set(true));
  app.post('/api/resume', { schema: resumeSchema }, async () => set(false));
}
