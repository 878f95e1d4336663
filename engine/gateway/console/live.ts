// `GET /api/live`: the Now screen as server-sent events. What was missed is read from `/api/history/series`.
import type { GatewayApp, GatewayContext } from '../context.ts';
import { takeOver } from '../answering.ts';
import { STREAM_HEADERS } from '../sse.ts';
import { LiveFeed } from './live-feed.ts';
import { nowEvent } from './response-schemas.ts';
import type { ConsoleServices } from './services.ts';
import { takeSnapshot } from './snapshot.ts';

const PERIOD_MS = 500;
/** Ten seconds. */
const MISSED_FRAMES = 20;
/** How soon a page comes back after a disconnect. */
const RETRY_MS = 1_000;

const schema = {
  tags: ['Console'],
  summary: 'Follow the engine',
  description: 'Server-sent events `now`, twice a second, each one whole moment. A reader that is too slow misses some.',
  response: { 200: { description: 'Events until the client leaves.', content: { 'text/event-stream': { schema: nowEvent } } } },
};

/** Returns how to end every stream. */
export function liveRoute(app: GatewayApp, context: GatewayContext, services: () => Promise<ConsoleServices>): () => void {
  let feed: LiveFeed | null = null;
  const open = async (): Promise<LiveFeed> => {
    const ready = await services();
    return (feed ??= new LiveFeed({
      frame: () => `event: now\ndata: ${JSON.stringify(takeSnapshot(context, ready))}\n\n`,
      periodMs: PERIOD_MS,
      missedFrames: MISSED_FRAMES,
      onFault: (err) => context.log.error({ err }, 'the live feed has no snapshot'),
    }));
  };
  app.get('/api/live', { schema }, async (_request, reply) => {
    const opened = await open();
    takeOver(reply);
    reply.raw.writeHead(200, STREAM_HEADERS);
    reply.raw.write(`retry: ${RETRY_MS}\n\n`);
    opened.follow(reply.raw);
  });
  return () => feed?.close();
}
