// Wires the rooms into a running engine: config, store, fleet, gateway. Ends them in the reverse order.
// NOTE: the order is for a fast start: the model's process boots before this one loads its HTTP libraries.
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Access } from './access/access.ts';
import { FairHost } from './access/fairness/fair-host.ts';
import { Lan } from './access/lan/lan.ts';
import { openAccess } from './access/open-access.ts';
import { readConfig, type EngineConfig } from './config.ts';
import { availableMemoryBytes, physicalCores } from './fleet/devices.ts';
import { Fleet } from './fleet/fleet.ts';
import type { ModelState } from './fleet/host.ts';
import { forkRunner, RUNNER_ENTRY, type RunnerSource, type SpawnRunner } from './fleet/runner-process.ts';
import { Bookkeeping } from './bookkeeping/bookkeeping.ts';
import { keepHeapSmall } from './heap.ts';
import type { LanStatus } from './contract.ts';
import type { Gateway, GatewayConfig } from './gateway/gateway.ts';
import { acquireLock, engineLockPath, type InstanceLock } from './instance-lock.ts';
import type { SpawnPull } from './jobs/pull-process.ts';
import type { AlertChange } from './ledger/alerts/evaluate.ts';
import { createLog, type Log } from './log.ts';
import type { Routing } from './routing/open-routing.ts';
import { ModelStore } from './models/store/model-store.ts';
import { isDecoder } from './models/manifest.ts';

export interface Engine {
  /** Base address of the API, such as `http://127.0.0.1:11711`. */
  readonly url: string;
  readonly fleet: Fleet;
  /** Whether other machines are let in, and how they find it. */
  readonly lan: () => LanStatus;
  /** The model that is loaded at once, and how that ends; null when none is installed or there is a choice. */
  readonly preloaded: { readonly model: string; readonly state: Promise<ModelState> } | null;
  /** Refuses new requests, lets running ones finish for at most `drainMs`, then ends every process. Safe to call twice. */
  close(drainMs: number): Promise<void>;
}

export interface EngineStart {
  readonly log: Log;
  /** Where runner processes come from; null: they are forked when they are needed. */
  readonly runners: RunnerSource | null;
  /** Shows a desktop notification; absent where there is no desktop. */
  readonly notify?: (change: AlertChange) => void;
  /** How models are pulled; absent: by a child process. */
  readonly spawnPull?: SpawnPull;
}

/** The version in package.json. */
export function engineVersion(): string {
  const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { readonly version: string };
  return manifest.version;
}

/** Starts the engine and resolves when it listens; its model may still be loading.
 *  @throws LockHeldError when another engine serves this data folder; EngineError for a model that is not installed */
export async function startEngine(config: EngineConfig, start: EngineStart): Promise<Engine> {
  const lock = acquireLock(engineLockPath(config.dataDir));
  try {
    return await startLocked(config, start, lock);
  } catch (cause) {
    lock.release();
    throw cause;
  }
}

async function startLocked(config: EngineConfig, start: EngineStart, lock: InstanceLock): Promise<Engine> {
  const { log, runners } = start;
  const fleet = createFleet(config, log, runners?.spawn);
  try {
    await fleet.open();
    const model = config.model ?? onlyModel(fleet);
    const preloaded = model === null ? null : { model, state: fleet.preload(model) };
    if (preloaded === null) runners?.discard();
    const { createGateway } = await import('./gateway/gateway.ts');
    const { openRouting } = await import('./routing/open-routing.ts');
    const fair = new FairHost({ host: fleet, limit: config.queue });
    const routing = await openRouting({ models: fair, dataDir: config.dataDir, log, promote: (model, to) => promoteIn(books, model, to) });
    const { access, close: closeAccess } = openAccess({ dataDir: config.dataDir, requireKey: config.requireKey, log });
    const books = createBooks(config, start, { fleet, routing });
    const gateway = await createGateway({
      host: routing.host,
      router: routing.control,
      access,
      config: servedBy(config),
      log,
      accounting: books.accounting,
      onRecord: (record) => books.record(record),
      console: () => books.services(),
      batches: () => books.batches(),
      checklist: () => books.checklist(),
      loadTests: () => books.loadTests(),
      lan: () => lan,
    });
    const lan = createLan(config, { gateway, access, log });
    books.serves(gateway);
    const { url } = await gateway.listen();
    await openLan(lan, config, log).catch(async (cause: unknown) => {
      await gateway.close({ drainMs: 0 });
      throw cause;
    });
    lock.announce(url);
    openSoon(books, preloaded?.state ?? null);
    const close = once(async (drainMs: number) => {
      fair.drain();
      fleet.drain();
      await gateway.close({ drainMs });
      await lan.close();
      await closeAccess();
      await fleet.close(0);
      await books.close();
      await routing.close();
      lock.release();
    });
    return { url, fleet, preloaded, lan: () => lan.status, close };
  } catch (cause) {
    await fleet.close(0);
    throw cause;
  }
}

function createBooks(
  { dataDir, queue }: EngineConfig,
  { log, notify, spawnPull }: EngineStart,
  { fleet, routing }: { readonly fleet: Fleet; readonly routing: Routing },
): Bookkeeping {
  return new Bookkeeping({
    dataDir,
    version: engineVersion(),
    log,
    models: fleet,
    onSettings: (settings) => routing.applySettings(settings),
    notify: notify ?? null,
    spawnPull: spawnPull ?? null,
    router: routing.control,
    queueLimit: queue,
  });
}

/** The rule of the canary has judged it by more than the gate knows. */
async function promoteIn(books: Bookkeeping, model: string, variant: string): Promise<void> {
  const { variants, ledger } = await books.services();
  await variants.promote({ model, variant, force: true }, ledger.settings.quality);
}

function servedBy({ host, port, agentPort, dataDir, allowHost, allowOrigin }: EngineConfig): GatewayConfig {
  const responsesFile = join(dataDir, 'responses.db');
  const agent = agentPort === null ? {} : { agentPort };
  return { host, port, ...agent, version: engineVersion(), allowedHosts: allowHost, allowedOrigins: allowOrigin, responsesFile };
}

function createLan(config: EngineConfig, { gateway, access, log }: { gateway: Gateway; access: Access; log: Log }): Lan {
  const { dataDir, port, tlsPort } = config;
  return new Lan({
    dataDir,
    log,
    systemName: hostname(),
    version: engineVersion(),
    host: '0.0.0.0',
    port: tlsPort ?? (port === 0 ? 0 : port + 1),
    listen: (address, certified) => gateway.listenTls(address, certified),
    announce: async (announcement) => (await import('./access/lan/announce.ts')).announceByMdns(announcement),
    hasUsableKey: () => access.hasUsableKey,
    now: Date.now,
  });
}

/** What the command line says must be done; what the console set earlier, where it can be. @throws EngineError of the switch */
async function openLan(lan: Lan, config: EngineConfig, log: Log): Promise<void> {
  if (config.lan === true) await lan.start();
  else if (config.lan === null && lan.isWanted)
    await lan.start().catch((err: unknown) => log.error({ err }, 'other machines are not let in'));
}

/** A load longer than this goes on while the books are opened. */
const BOOKS_WAIT_MS = 2_000;

/** Opens the books once the model is loaded, so that they do not share its processors; from then on the heap is kept small. */
function openSoon(books: Bookkeeping, loaded: Promise<unknown> | null): void {
  if (loaded === null) return void books.open().then(keepHeapSmall);
  const timer = setTimeout(() => void books.open(), BOOKS_WAIT_MS).unref();
  void loaded.then(() => {
    clearTimeout(timer);
    keepHeapSmall();
    return books.open();
  });
}

/** A fleet over the models of the data folder; `open` reads them. */
export function createFleet(config: EngineConfig, log: Log, spawn: SpawnRunner = forkRunner(RUNNER_ENTRY)): Fleet {
  return new Fleet({
    store: new ModelStore(config.dataDir),
    spawn,
    log,
    availableMemoryBytes,
    threads: config.threads ?? physicalCores(),
    contextLength: config.ctx,
    slots: config.slots,
    maxRequests: config.queue,
    speculation: config.speculation,
    batching: { maxBatchSize: config.maxBatch, maxWaitMs: config.maxWait },
    preferred: { variant: config.precision, smallCache: config.kvCache === 'int8' },
  });
}

/** The model that is loaded without being named: the only one that writes text, or the only one at all. */
function onlyModel(fleet: Fleet): string | null {
  const installed = fleet.list();
  const writers = installed.filter(({ manifest }) => isDecoder(manifest));
  const choice = writers.length > 0 ? writers : installed;
  return choice.length === 1 ? (choice[0]?.manifest.id ?? null) : null;
}

function once(work: (drainMs: number) => Promise<void>): (drainMs: number) => Promise<void> {
  let running: Promise<void> | null = null;
  return (drainMs) => (running ??= work(drainMs));
}

/** Shells and npm pass one Ctrl-C on twice; a second signal this soon after the first is the same one. */
const SAME_SIGNAL_MS = 500;

/** Drains on the first SIGTERM or SIGINT and ends at once on the second. Resolves with the exit code when all has ended. */
export function closeOnSignal(engine: Engine, drainMs: number, log: Log): Promise<number> {
  return new Promise((resolve, reject) => {
    let firstAtMs: number | null = null;
    const onSignal = (signal: NodeJS.Signals): void => {
      if (firstAtMs !== null && performance.now() - firstAtMs < SAME_SIGNAL_MS) return;
      if (firstAtMs !== null) process.exit(signal === 'SIGINT' ? 130 : 143);
      firstAtMs = performance.now();
      log.info({ signal, drainMs }, 'draining; a second signal ends at once');
      engine.close(drainMs).then(() => resolve(0), reject);
    };
    process.on('SIGTERM', onSignal);
    process.on('SIGINT', onSignal);
  });
}

if (import.meta.main) {
  const config = readConfig({}, process.env);
  const log = createLog(config.logLevel);
  const engine = await startEngine(config, { log, runners: null });
  log.info({ url: engine.url }, 'listening');
  process.exitCode = await closeOnSignal(engine, config.drainSeconds * 1000, log);
}
