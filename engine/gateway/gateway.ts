// Owns the HTTP server: wires entry checks, parsers, routes and the end of it all. The one way into the room for others.
// Knows models only through ModelHost.
import { fileURLToPath } from 'node:url';
import fastify, { LogController, type FastifyBaseLogger, type FastifyInstance, type FastifyRequest } from 'fastify';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { Access } from '../access/access.ts';
import type { Certified } from '../access/lan/certificates.ts';
import type { TlsListener } from '../access/lan/lan.ts';
import type { ChecklistControl } from '../checklist/checklist-control.ts';
import { EngineError, bug } from '../errors.ts';
import type { ModelStatus } from '../contract.ts';
import type { ModelHost } from '../fleet/host.ts';
import { collectGarbage } from '../heap.ts';
import type { BatchControl, RowServer } from '../jobs/batches/batch-control.ts';
import type { ModelSample, RequestRecord } from '../ledger/ledger.ts';
import type { LoadTestControl } from '../loadtest/load-test-control.ts';
import type { RouterControl } from '../routing/router-control.ts';
import { isLoopback } from './access.ts';
import { listenAgent, type AgentListener, type Load } from './agent-check.ts';
import { Activity } from './activity.ts';
import { batchRoutes } from './batches/batches.ts';
import { fileRoutes } from './batches/files.ts';
import { ROW_ENDPOINT, RowRequests } from './batches/row-requests.ts';
import { checklistRoutes } from './console/checklist.ts';
import { consoleRoutes } from './console/console.ts';
import { keyRoutes } from './console/keys.ts';
import { lanRoutes, type LanControl } from './console/lan.ts';
import type { ConsoleServices } from './console/services.ts';
import { loadTestRoutes } from './console/loadtest.ts';
import { sessionRoutes } from './console/session.ts';
import { readModels, statusRoute } from './console/status.ts';
import type { GatewayApp, GatewayContext } from './context.ts';
import { errorSender, guardEntry, requestId } from './entry.ts';
import { JsonParser } from './json-parser.ts';
import { LAZY_COMPILERS } from './lazy-validation.ts';
import { DEFAULT_LIMITS, type Limits } from './limits.ts';
import { authorityRoutes } from './routes/authority.ts';
import { chatRoute } from './routes/chat.ts';
import { classifyRoute } from './routes/classify.ts';
import { completionsRoute } from './routes/completions.ts';
import { collectSchemas, docsRoutes } from './routes/docs.ts';
import { embeddingsRoute } from './routes/embeddings.ts';
import { feedbackRoute } from './routes/feedback.ts';
import { healthRoutes } from './routes/health.ts';
import { inferRoutes } from './routes/infer.ts';
import { modelRoutes } from './routes/models.ts';
import { ollamaModelRoutes } from './routes/ollama-models.ts';
import { ollamaRoutes } from './routes/ollama.ts';
import { pageRoutes } from './routes/page.ts';
import { rerankRoutes } from './routes/rerank.ts';
import { responseRoutes } from './routes/responses.ts';
import { ResponseStore } from './responses/store/response-store.ts';
import { answerSocketError } from './socket-errors.ts';
import { listenTls } from './tls-listener.ts';
import { TokenMeter } from './token-meter.ts';
import { NO_ACCOUNTING, type Accounting } from './tracing/accounting.ts';
import { ModelSamples } from './tracing/model-samples.ts';
import { ModelTraffic } from './tracing/model-traffic.ts';
import { RecentWaits } from './tracing/recent-waits.ts';
import { traceRequests } from './tracing/trace-requests.ts';
import { Traces } from './tracing/traces.ts';

export interface GatewayConfig {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  readonly version: string;
  /** Port on which a load balancer's agent check is answered; absent: there is none. */
  readonly agentPort?: number;
  /** Host names beyond loopback by which clients may call this server. */
  readonly allowedHosts?: readonly string[];
  /** Origins whose pages may call this server. */
  readonly allowedOrigins?: readonly string[];
  /** Folder of the built page. Default: `renderer/dist` of this source tree. */
  readonly pageDir?: string;
  /** SQLite file of stored responses. Default: in memory, gone with the process. */
  readonly responsesFile?: string;
  readonly limits?: Partial<Limits>;
}

export interface GatewayOptions {
  readonly host: ModelHost;
  readonly config: GatewayConfig;
  readonly log: FastifyBaseLogger;
  /** Who may enter, by keys. Default: whoever is at this machine, and nobody else. */
  readonly access?: Access;
  /** Milliseconds since 1970. Default: the system's clock. */
  readonly now?: () => number;
  /** Monotonic, in ms with fractions. Default: the process's clock. */
  readonly clock?: () => number;
  /** The switch that lets other machines in; asked for when the server is open. Without, there is none. */
  readonly lan?: () => LanControl;
  /** What device time costs. Default: time is counted, money is not. */
  readonly accounting?: Accounting;
  /** Gets the record of each request of the API once, after its end. */
  readonly onRecord?: (record: RequestRecord) => void;
  /** How models are chosen; without, no screen shows it and no feedback is taken. */
  readonly router?: RouterControl;
  /** What the console works with; asked for when somebody uses it. Without, the server has the API and the status alone. */
  readonly console?: () => Promise<ConsoleServices>;
  /** The deployment's checklist and drill; asked for when somebody looks. Without, there is none. */
  readonly checklist?: () => Promise<ChecklistControl>;
  /** Load tests; asked for when somebody wants one. Without, there are none. */
  readonly loadTests?: () => Promise<LoadTestControl>;
  /** Files and batches; asked for when somebody uses them. Without, there are none. */
  readonly batches?: () => Promise<BatchControl>;
}

interface ListenAddress {
  readonly address: string;
  readonly port: number;
  /** `http://address:port` */
  readonly url: string;
}

interface Listening extends ListenAddress {
  /** Of the agent check; null without one. */
  readonly agentPort: number | null;
}

export interface Gateway {
  /** @throws EngineError `invalid_request` for an address beyond loopback, or a port that is taken */
  listen(): Promise<Listening>;
  /** Answers other machines by TLS too; ended by its own `close`. @throws EngineError `invalid_request` for a port that is taken */
  listenTls(address: { readonly host: string; readonly port: number }, certified: Certified): Promise<TlsListener>;
  /** Refuses new requests, lets the open ones end for at most `drainMs`, then closes. */
  close(options: { readonly drainMs: number }): Promise<void>;
  /** Every installed model as it is now. */
  readModels(): readonly ModelStatus[];
  /** What each model did since the last call. */
  sampleModels(): readonly ModelSample[];
  /** Runs rows of batches. */
  readonly rows: RowServer;
  /** A request without a socket, for tests. */
  readonly inject: FastifyInstance['inject'];
}

export async function createGateway(options: GatewayOptions): Promise<Gateway> {
  const { config, log } = options;
  const limits = { ...DEFAULT_LIMITS, ...config.limits };
  const parser = new JsonParser(limits);
  const app = createServer(limits, log);
  let url: string | null = null;
  let agent: AgentListener | null = null;
  const context = createContext(options, limits, () => url);
  const samples = new ModelSamples();
  const rows = new RowRequests(app, context.host, context.access);
  const endLive = await addRoutes(app, context, options, { parser, rows });
  return {
    rows,
    inject: app.inject.bind(app),
    readModels: () => readModels(context),
    sampleModels: () => {
      const models = context.host.list().filter(({ origin }) => origin !== 'route');
      return samples.take(models, context.traffic.take());
    },
    listenTls: (address, certified) => listenTls(app, limits, { ...address, certified }),
    listen: async () => {
      const listening = await listen(app, options);
      url = listening.url;
      if (config.agentPort !== undefined) agent = await listenAgent({ host: config.host, port: config.agentPort }, () => loadOf(context));
      return { ...listening, agentPort: agent?.port ?? null };
    },
    close: async ({ drainMs }) => {
      rows.close();
      await context.activity.drain(drainMs);
      endLive();
      // A reader that does not take its last frames must not keep the server.
      const cut = setTimeout(() => app.server.closeAllConnections(), limits.lastBytesMs);
      await app.close();
      clearTimeout(cut);
      await agent?.close();
      context.traces.flush();
      await context.responses.close().catch((err: unknown) => log.error({ err }, 'stored responses were not closed well'));
      await parser.close();
    },
  };
}

function createContext(options: GatewayOptions, limits: Limits, address: () => string | null): GatewayContext {
  const { host, config, log, access = null, now = Date.now, clock = () => performance.now(), accounting = NO_ACCOUNTING } = options;
  const waits = new RecentWaits();
  const onRecord = (record: RequestRecord): void => {
    const isRow = record.endpoint === ROW_ENDPOINT;
    // Rows wait for everybody else, and nobody waits for them.
    if (record.queueMs !== null && !isRow) waits.add(record.atMs + record.totalMs, record.queueMs);
    const { key, upstreamUsd, energyUsd, hardwareUsd } = record;
    if (key !== null) access?.spent(key, { upstreamUsd, localUsd: isRow ? energyUsd : energyUsd + hardwareUsd });
    options.onRecord?.(record);
  };
  return {
    host,
    access,
    router: options.router ?? null,
    limits,
    log,
    now,
    address,
    waits,
    activity: new Activity(limits.drainRetrySeconds, collectGarbage),
    meter: new TokenMeter(),
    traffic: new ModelTraffic(),
    responses: new ResponseStore({ path: config.responsesFile ?? null, now }),
    traces: new Traces({ accounting, onRecord, now, clock }),
    pageDir: config.pageDir ?? fileURLToPath(new URL('../../renderer/dist', import.meta.url)),
    version: config.version,
    startedAtMs: now(),
  };
}

function loadOf({ activity, traces, waits, now }: GatewayContext): Load {
  return { state: activity.state, waiting: traces.count().waiting, waitP50Ms: waits.quantiles(now()).p50 };
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
    schemaController: { compilersFactory: LAZY_COMPILERS },
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

/** Returns how to end the streams that have no end of their own. */
async function addRoutes(
  app: GatewayApp,
  context: GatewayContext,
  options: GatewayOptions,
  { parser, rows }: { readonly parser: JsonParser; readonly rows: RowRequests },
): Promise<() => void> {
  const { config, console, batches, checklist, loadTests, lan } = options;
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, async (request: FastifyRequest, body: Buffer) =>
    // What is done to a thing that the path names needs no words.
    body.length === 0 && request.routeOptions.schema?.body === undefined ? undefined : parser.parse(body),
  );
  app.setErrorHandler(errorSender(context.limits));
  app.decorateRequest('caller', null);
  app.decorateRequest('budget', null);
  app.decorateRequest('workLeft', null);
  rows.markRows();
  traceRequests(app, context.traces);
  rows.countInteractive();
  guardEntry(app, context, {
    get allowedHosts() {
      return [...(config.allowedHosts ?? []), ...(lan?.().hostNames ?? [])];
    },
    allowedOrigins: config.allowedOrigins ?? [],
    get allowsAddresses() {
      return !isLoopback(config.host) || lan?.().status.enabled === true;
    },
  });
  await collectSchemas(app, context.version);
  const encoderRoutes = [embeddingsRoute, rerankRoutes, classifyRoute, inferRoutes];
  for (const add of [chatRoute, completionsRoute, responseRoutes, ...encoderRoutes, modelRoutes, healthRoutes, statusRoute, pageRoutes])
    add(app, context);
  if (lan !== undefined) {
    lanRoutes(app, lan);
    authorityRoutes(app, () => lan().authorityCertificate);
  }
  if (context.access !== null) {
    keyRoutes(app, context, context.access);
    sessionRoutes(app, context.access);
  }
  if (batches !== undefined) {
    fileRoutes(app, batches);
    batchRoutes(app, batches);
  }
  if (checklist !== undefined) checklistRoutes(app, context, checklist);
  if (loadTests !== undefined) loadTestRoutes(app, context, loadTests);
  if (context.router !== null) feedbackRoute(app, context.router);
  ollamaRoutes(app, context, console ?? null);
  if (console !== undefined) ollamaModelRoutes(app, context, console);
  const endLive = console === undefined ? () => undefined : consoleRoutes(app, context, console);
  docsRoutes(app);
  await app.ready();
  return endLive;
}

async function listen(app: GatewayApp, { config, access }: GatewayOptions): Promise<ListenAddress> {
  if (!isLoopback(config.host) && access?.hasUsableKey !== true) {
    const problem = `Listening on ${config.host} would let anyone on the network use this server, which has no API key yet.`;
    throw new EngineError('invalid_request', `${problem} Make one first: millrace key create --tenant NAME`, { param: 'host' });
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
