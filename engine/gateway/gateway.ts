// Owns the HTTP server: wires entry checks, parsers, routes and the end of it all. The one way into the room for others.
// Knows models only through ModelHost.
import { fileURLToPath } from 'node:url';
import fastify, { LogController, type FastifyBaseLogger, type FastifyInstance } from 'fastify';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import { EngineError, bug } from '../errors.ts';
import type { ModelHost } from '../fleet/host.ts';
import { isLoopback } from './access.ts';
import { Activity } from './activity.ts';
import type { GatewayApp, GatewayContext } from './context.ts';
import { errorSender, guardEntry, requestId } from './entry.ts';
import { JsonParser } from './json-parser.ts';
import { DEFAULT_LIMITS, type Limits } from './limits.ts';
import { chatRoute } from './routes/chat.ts';
import { classifyRoute } from './routes/classify.ts';
import { completionsRoute } from './routes/completions.ts';
import { collectSchemas, docsRoutes } from './routes/docs.ts';
import { embeddingsRoute } from './routes/embeddings.ts';
import { healthRoutes } from './routes/health.ts';
import { modelRoutes } from './routes/models.ts';
import { pageRoutes } from './routes/page.ts';
import { rerankRoutes } from './routes/rerank.ts';
import { statusRoute } from './routes/status.ts';
import { answerSocketError } from './socket-errors.ts';
import { TokenMeter } from './token-meter.ts';

export interface GatewayConfig {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  readonly version: string;
  /** Host names beyond loopback by which clients may call this server. */
  readonly allowedHosts?: readonly string[];
  /** Origins whose pages may call this server. */
  readonly allowedOrigins?: readonly string[];
  /** Folder of the built page. Default: `renderer/dist` of this source tree. */
  readonly pageDir?: string;
  readonly limits?: Partial<Limits>;
}

export interface GatewayOptions {
  readonly host: ModelHost;
  readonly config: GatewayConfig;
  readonly log: FastifyBaseLogger;
  /** Milliseconds since 1970. Default: the system's clock. */
  readonly now?: () => number;
}

interface ListenAddress {
  readonly address: string;
  readonly port: number;
  /** `http://address:port` */
  readonly url: string;
}

export interface Gateway {
  /** @throws EngineError `invalid_request` for an address beyond loopback, or a port that is taken */
  listen(): Promise<ListenAddress>;
  /** Refuses new requests, lets the open ones end for at most `drainMs`, then closes. */
  close(options: { readonly drainMs: number }): Promise<void>;
  /** A request without a socket, for tests. */
  readonly inject: FastifyInstance['inject'];
}

export async function createGateway({ host, config, log, now = Date.now }: GatewayOptions): Promise<Gateway> {
  const limits = { ...DEFAULT_LIMITS, ...config.limits };
  const activity = new Activity(limits.drainRetrySeconds);
  const parser = new JsonParser(limits);
  const app = createServer(limits, log);
  let url: string | null = null;
  const pageDir = config.pageDir ?? fileURLToPath(new URL('../../renderer/dist', import.meta.url));
  const context: GatewayContext = {
    host,
    limits,
    activity,
    log,
    pageDir,
    now,
    version: config.version,
    meter: new TokenMeter(),
    startedAtMs: now(),
    address: () => url,
  };
  await addRoutes(app, context, config, parser);
  return {
    inject: app.inject.bind(app),
    listen: async () => {
      const listening = await listen(app, config);
      url = listening.url;
      return listening;
    },
    close: async ({ drainMs }) => {
      await activity.drain(drainMs);
      // A reader that does not take its last frames must not keep the server.
      const cut = setTimeout(() => app.server.closeAllConnections(), limits.lastBytesMs);
      await app.close();
      clearTimeout(cut);
      await parser.close();
    },
  };
}

function createServer(limits: Limits, log: FastifyBaseLogger): GatewayApp {
  const app = fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: limits.bodyBytes,
    requestTimeout: limits.requestMs,
    keepAliveTimeout: limits.keepAliveMs,
    genReqId: requestId,
    requestIdHeader: false,
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    routerOptions: { maxParamLength: 512 },
    http: {
      maxHeaderSize: limits.headerBytes,
      headersTimeout: limits.headersMs,
      connectionsCheckingInterval: limits.checkEveryMs,
      // Judged with the other headers, so that its absence is answered in the same shape.
      requireHostHeader: false,
    },
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false, useDefaults: false } },
    // A path that is no URL fails before any hook or handler.
    frameworkErrors: (error, request, reply) => void errorSender(limits)(error, request, reply),
    clientErrorHandler: answerSocketError,
  }).withTypeProvider<TypeBoxTypeProvider>();
  app.server.maxConnections = limits.connections;
  // An expectation that the server does not know may be ignored (RFC 9110, 10.1.1); Node would answer it without a body.
  app.server.on('checkExpectation', (request, response) => app.server.emit('request', request, response));
  return app;
}

async function addRoutes(app: GatewayApp, context: GatewayContext, config: GatewayConfig, parser: JsonParser): Promise<void> {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, async (_request: unknown, body: Buffer) => parser.parse(body));
  app.setSerializerCompiler(() => (value) => JSON.stringify(value));
  app.setErrorHandler(errorSender(context.limits));
  guardEntry(app, context, { allowedHosts: config.allowedHosts ?? [], allowedOrigins: config.allowedOrigins ?? [] });
  await collectSchemas(app, context.version);
  const encoderRoutes = [embeddingsRoute, rerankRoutes, classifyRoute];
  for (const add of [chatRoute, completionsRoute, ...encoderRoutes, modelRoutes, healthRoutes, statusRoute, pageRoutes]) add(app, context);
  docsRoutes(app);
  await app.ready();
}

async function listen(app: GatewayApp, config: GatewayConfig): Promise<ListenAddress> {
  if (!isLoopback(config.host)) {
    const remedy = 'Use 127.0.0.1 and reach it from other machines through an SSH tunnel or a proxy that authenticates.';
    const problem = `Listening on ${config.host} would let anyone on the network use this server, which has no API keys yet.`;
    throw new EngineError('invalid_request', `${problem} ${remedy}`, { param: 'host' });
  }
  await app.listen({ host: config.host, port: config.port }).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'EADDRINUSE') throw cause;
    const remedy = 'End the other program, or choose another port; 0 picks a free one.';
    throw new EngineError('invalid_request', `Port ${config.port} is taken by another program. ${remedy}`, { param: 'port', cause });
  });
  const bound = app.server.address();
  if (bound === null || typeof bound === 'string') return bug('The server listens on no TCP port.');
  const name = bound.family === 'IPv6' ? `[${bound.address}]` : bound.address;
  return { address: bound.address, port: bound.port, url: `http://${name}:${bound.port}` };
}
