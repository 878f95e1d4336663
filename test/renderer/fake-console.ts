// An honest stand-in for the engine's console API: it answers in the contract's shapes from a state that the test sets,
// and keeps every change that the page asked for. Serves the built page under the policy that the gateway serves it under.
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import type {
  AlertsAnswer,
  ChecklistAnswer,
  CostReport,
  LoadTestsAnswer,
  ModelSlo,
  NowSnapshot,
  RequestRow,
  SeriesAnswer,
  SeriesStepMs,
} from '../../engine/contract.ts';
import type { RouteDecision, Settings, Slo, SlosAnswer, WebhookTest } from '../../engine/contract.ts';
import { PAGE_POLICY } from '../../engine/gateway/routes/page.ts';
import { loadTestReports } from './load-tests.ts';
import { aChecklist } from './checklists.ts';
import { aSnapshot } from './factories.ts';
import { aCostReport, someSettings } from './figures.ts';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
}

export class FakeConsole {
  snapshot: NowSnapshot = aSnapshot();
  settings: Settings = someSettings();
  alerts: AlertsAnswer = { rules: someSettings().alerts.rules, active: [], history: [] };
  cost: CostReport = aCostReport();
  checklist: ChecklistAnswer = aChecklist();
  loadTests: LoadTestsAnswer = { run: null, reports: [] };
  rows: readonly RequestRow[] = [];
  decisions: readonly RouteDecision[] = [];
  /** A value of a series at a time; null is a gap. */
  series: (name: string, atMs: number) => number | null = () => null;
  /** Paths that fail, by how they begin. */
  readonly failing = new Set<string>();
  /** Every call that was not a GET. */
  readonly changes: Asked[] = [];
  /** What calibration has found, by model. */
  calibrated: Readonly<Record<string, Slo>> = {};
  webhookTest: WebhookTest = { kind: 'delivered', status: 204 };
  readonly #pageDir: string;
  readonly #server: Server;
  readonly #live = new Set<ServerResponse>();

  constructor(pageDir: string) {
    this.#pageDir = pageDir;
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  /** `http://127.0.0.1:PORT` */
  async start(port = 0): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(port, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    this.#live.clear();
  }

  /** Changes the snapshot and sends it to every page that follows. */
  push(change: Partial<NowSnapshot> = {}): void {
    this.snapshot = { ...this.snapshot, ...change, atMs: Date.now() };
    for (const response of this.#live) response.write(`event: now\ndata: ${JSON.stringify(this.snapshot)}\n\n`);
  }

  get followers(): number {
    return this.#live.size;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://x');
    const method = request.method ?? 'GET';
    if ([...this.failing].some((path) => url.pathname.startsWith(path))) return send(response, 503, refusal('The store is not readable.'));
    if (url.pathname === '/api/live') return this.#follow(response);
    if (!url.pathname.startsWith('/api/')) return this.#file(url.pathname, response);
    if (method === 'GET') return this.#read(url, response);
    this.changes.push({ method, path: url.pathname, body: await readJson(request) });
    return this.#change(url, response);
  }

  #follow(response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    this.#live.add(response);
    response.once('close', () => this.#live.delete(response));
    response.write(`event: now\ndata: ${JSON.stringify(this.snapshot)}\n\n`);
  }

  async #file(path: string, response: ServerResponse): Promise<void> {
    const name = path === '/' ? '/index.html' : path;
    const body = await readFile(join(this.#pageDir, name)).catch(() => null);
    if (body === null || name.includes('..')) return send(response, 404, refusal('No such file.'));
    response.writeHead(200, { 'content-type': TYPES[extname(name)] ?? 'text/plain', 'content-security-policy': PAGE_POLICY });
    response.end(body);
  }

  #read(url: URL, response: ServerResponse): void {
    const answers: Readonly<Record<string, () => unknown>> = {
      '/api/settings': () => this.settings,
      '/api/alerts': () => this.alerts,
      '/api/checklist': () => this.checklist,
      '/api/loadtests': () => this.loadTests,
      '/api/slos': () => this.#slos(),
      '/api/cost': () => ({ ...this.cost, by: url.searchParams.get('by') }),
      '/api/history/series': () => this.#seriesOf(url.searchParams),
      '/api/history/requests': () => this.#page(url.searchParams),
      '/api/jobs': () => this.snapshot.jobs,
    };
    const decision = this.decisions.find(({ requestId }) => url.pathname === `/api/router/decisions/${requestId}`);
    const row = this.rows.find(({ rowId }) => url.pathname === `/api/history/requests/${rowId}`);
    const report = loadTestReports().find(({ id }) => url.pathname === `/api/loadtests/${id}`);
    const answer = row ?? decision ?? report ?? answers[url.pathname]?.();
    if (answer === undefined) send(response, 404, refusal('Unknown path.'));
    else send(response, 200, answer);
  }

  #change(url: URL, response: ServerResponse): void {
    const { method, body } = this.changes.at(-1) ?? { method: '', body: null };
    if (method === 'PUT' && url.pathname === '/api/settings') {
      this.settings = merge(this.settings, body) as Settings;
      this.alerts = { ...this.alerts, rules: this.settings.alerts.rules };
      send(response, 200, this.settings);
    } else if (url.pathname === '/api/checklist/caching/mend') {
      send(response, 200, { done: 'The cache is on.', undo: { cache: { enabled: false } }, checklist: this.checklist });
    } else if (url.pathname === '/api/alerts/test-webhook') send(response, 200, this.webhookTest);
    else send(response, 200, {});
  }

  #slos(): SlosAnswer {
    const { fallback, models } = this.settings.slos;
    const ids = [...this.snapshot.models.map(({ id }) => id), ...Object.keys(models)];
    return { fallback, models: [...new Set(ids)].map((id) => this.#sloOf(id)) };
  }

  #sloOf(model: string): ModelSlo {
    const { fallback, models } = this.settings.slos;
    const [own, calibrated = null] = [models[model], this.calibrated[model]];
    if (own) return { model, slo: own, source: 'yours', calibrated };
    return { model, slo: calibrated ?? fallback, source: calibrated === null ? 'fallback' : 'calibration', calibrated };
  }

  #seriesOf(query: URLSearchParams): SeriesAnswer {
    const [fromMs, toMs] = [Number(query.get('from')), Number(query.get('to'))];
    const step = Number(query.get('step') ?? stepFor(toMs - fromMs)) as SeriesStepMs;
    const first = Math.floor(fromMs / step) * step;
    const atMs = Array.from({ length: Math.max(0, Math.ceil((toMs - first) / step)) }, (_, index) => first + index * step);
    const names = (query.get('names') ?? '').split(',');
    const values = Object.fromEntries(names.map((name) => [name, atMs.map((at) => this.series(name, at))]));
    return { range: { fromMs, toMs }, stepMs: step, of: query.get('of') ?? 'all', atMs, values };
  }

  #page(query: URLSearchParams): unknown {
    const search = query.get('search') ?? '';
    const rows = this.rows.filter(
      (row) =>
        (query.get('model') ?? row.model) === row.model &&
        (query.get('outcome') ?? row.outcome) === row.outcome &&
        `${row.requestId} ${row.model} ${row.errorCode}`.includes(search),
    );
    const start = Number(query.get('cursor') ?? 0);
    const end = start + Number(query.get('limit') ?? 50);
    return { rows: rows.slice(start, end), total: rows.length, cursor: end < rows.length ? String(end) : null };
  }
}

const MAX_POINTS = 1_500;
const stepFor = (lengthMs: number): number =>
  [1_000, 60_000, 3_600_000, 86_400_000].find((step) => lengthMs / step <= MAX_POINTS) ?? 86_400_000;

const refusal = (message: string): unknown => ({ error: { message, type: 'server_error', param: null, code: 'unavailable' } });

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json', 'x-request-id': 'fake' });
  response.end(JSON.stringify(body));
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  let text = '';
  for await (const piece of request.setEncoding('utf8')) text += piece;
  return text === '' ? null : JSON.parse(text);
}

/** Objects are merged, everything else is replaced. */
function merge(old: unknown, change: unknown): unknown {
  if (!isObject(old) || !isObject(change)) return change;
  return { ...old, ...Object.fromEntries(Object.entries(change).map(([name, value]) => [name, merge(old[name], value)])) };
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);
