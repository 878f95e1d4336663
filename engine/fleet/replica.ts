// Owns one runner process of one model: carries out what life.ts decides and passes messages on.
// Knows nothing about other models, memory or HTTP.
import { EngineError, toWireError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { FromRunner, RunnerOptions, RunnerStats } from '../runner/protocol.ts';
import type { GenerationProgress, ModelState } from './host.ts';
import { stepLife, UNLOADED, type Life, type LifeAction, type LifeEvent, type LifeLimits } from './life.ts';
import { Requests, type Job } from './requests.ts';
import type { RunnerProcess, SpawnRunner } from './runner-process.ts';

export interface ReplicaLimits extends LifeLimits {
  /** Waiting and running requests of this model together; one more is refused. */
  readonly maxRequests: number;
  /** A load that takes longer is given up. */
  readonly loadMs: number;
  /** A runner with work that says nothing for so long is taken for dead. It reports twice a second. */
  readonly silentMs: number;
}

export interface ReplicaOptions {
  readonly name: string;
  readonly spawn: SpawnRunner;
  /** What the runner is granted now. Rejects when the model does not fit. */
  readonly grant: () => Promise<RunnerOptions>;
  readonly limits: ReplicaLimits;
  readonly log: Log;
  readonly now: () => number;
}

const WATCH_MS = 1000;

export class Replica {
  readonly #options: ReplicaOptions;
  readonly #requests: Requests;
  #life: Life = UNLOADED;
  #process: RunnerProcess | null = null;
  #stats: RunnerStats | null = null;
  #lastOutput = '';
  #silentMs = 0;
  #closed = false;
  #retryTimer: NodeJS.Timeout | undefined;
  #watchTimer: NodeJS.Timeout | undefined;
  #whenEnded: (() => void)[] = [];
  #whenSettled: ((state: ModelState) => void)[] = [];

  constructor(options: ReplicaOptions) {
    this.#options = options;
    this.#requests = new Requests(options.limits.maxRequests, options.now);
  }

  get state(): ModelState {
    const life = this.#life;
    if (life.kind === 'ready') return { kind: 'ready', info: life.info, stats: this.#stats, sinceMs: life.sinceMs };
    if (life.kind === 'loading') return { kind: 'loading', sinceMs: life.sinceMs };
    if (life.kind === 'backoff') return { kind: 'loading', sinceMs: life.untilMs };
    if (life.kind === 'failed') return { kind: 'failed', reason: life.error.message };
    return { kind: 'installed' };
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  get hasProcess(): boolean {
    return this.#process !== null;
  }

  get requestCount(): number {
    return this.#requests.count;
  }

  get lastUsedMs(): number {
    return this.#requests.lastUsedMs;
  }

  /** Since when it is loaded without a request; null while it loads, works or ends. */
  get idleSinceMs(): number | null {
    if (this.#life.kind !== 'ready' || this.#requests.count > 0) return null;
    return Math.max(this.#life.sinceMs, this.#requests.lastUsedMs);
  }

  /** Loads the model unless it is loaded or loading; resolves with `ready`, `failed`, or `installed` when it was unloaded meanwhile. */
  load(): Promise<ModelState> {
    const settled = new Promise<ModelState>((resolve) => this.#whenSettled.push(resolve));
    this.#step({ kind: 'wanted' });
    return settled;
  }

  /** Runs the job now or as soon as the model is loaded; a full queue is its first and last event. */
  submit(job: Job): void {
    this.#requests.add(job);
    this.#step({ kind: 'wanted' });
  }

  /** No event follows. */
  cancel(id: number): void {
    if (this.#requests.cancel(id)) this.#process?.send({ kind: 'cancel', id });
  }

  /** Where a generation of this model stands. */
  progress(id: number): GenerationProgress {
    return this.#requests.progress(id, this.#life.kind === 'ready');
  }

  /** Ends the process once what runs in it has finished; resolves when it is gone. The next request loads the model again. */
  unload(): Promise<void> {
    const ended = this.#process === null ? Promise.resolve() : new Promise<void>((resolve) => this.#whenEnded.push(resolve));
    clearTimeout(this.#retryTimer);
    this.#step({ kind: 'unload' });
    return ended;
  }

  /** Like `unload`; what still runs after `limitMs` ends with it. No request runs afterwards. */
  async close(limitMs: number): Promise<void> {
    this.#closed = true;
    const timer = setTimeout(() => this.#process?.kill(), limitMs);
    await this.unload();
    clearTimeout(timer);
    this.#requests.failWaiting(toWireError(new EngineError('draining', 'The server is shutting down.')));
  }

  #step(event: LifeEvent): void {
    const before = this.#life.kind;
    const { life, actions } = stepLife(this.#life, event, this.#options.now(), this.#options.limits);
    this.#life = life;
    if (life.kind !== before)
      this.#options.log.debug({ model: this.#options.name, from: before, to: life.kind, on: event.kind }, 'model state');
    for (const action of actions) this.#act(action);
    if (this.state.kind !== 'loading') for (const resolve of this.#whenSettled.splice(0)) resolve(this.state);
  }

  #act(action: LifeAction): void {
    switch (action.kind) {
      case 'spawn':
        return this.#spawn();
      case 'sendWaiting':
        for (const job of this.#requests.takeWaiting()) this.#process?.send(job.message);
        return;
      case 'failWaiting':
        return this.#requests.failWaiting(action.error);
      case 'scheduleRetry':
        this.#retryTimer = setTimeout(() => this.#step({ kind: 'retryDue' }), action.delayMs);
        return;
      case 'drainProcess':
        return this.#process?.send({ kind: 'drain' });
      case 'killProcess':
        return this.#process?.kill();
    }
  }

  /** The process boots while its grant is worked out: a start of Node takes longer than a look at the memory. */
  #spawn(): void {
    const isCurrent = (): boolean => this.#process === process;
    const process: RunnerProcess = this.#options.spawn({
      onMessage: (message) => isCurrent() && this.#receive(message),
      onExit: (how) => isCurrent() && this.#ended(how),
      onOutput: (line) => this.#logOutput(line),
    });
    this.#process = process;
    this.#stats = null;
    this.#lastOutput = '';
    this.#watch(this.#options.limits.loadMs);
    void this.#sendLoad(process);
  }

  async #sendLoad(process: RunnerProcess): Promise<void> {
    try {
      process.send({ kind: 'load', options: await this.#options.grant() });
    } catch (cause) {
      if (this.#process === process) this.#step({ kind: 'loadFailed', error: toWireError(cause) });
    }
  }

  #receive(message: FromRunner): void {
    this.#silentMs = 0;
    switch (message.kind) {
      case 'ready':
        this.#watch(this.#options.limits.silentMs);
        this.#options.log.info({ model: this.#options.name, ...message.info }, 'model ready');
        return this.#step({ kind: 'ready', info: message.info });
      case 'loadFailed':
        this.#options.log.error({ model: this.#options.name, code: message.error.code }, message.error.message);
        return this.#step({ kind: 'loadFailed', error: message.error });
      case 'events':
        for (const event of message.events) this.#requests.deliver(event);
        return;
      case 'tokens':
        return this.#requests.answer(message.id, message.tokens);
      case 'encoded':
        return this.#requests.deliverRows(message.batch);
      case 'inferred':
        return this.#requests.deliverOutputs(message);
      case 'admitted':
        return this.#requests.admitted(message.id);
      case 'charges':
        return this.#requests.charge(message.charges, message.settled);
      case 'stats':
        this.#stats = message.stats;
        return;
    }
  }

  #logOutput(line: string): void {
    this.#lastOutput = line.slice(0, 300);
    this.#options.log.warn({ model: this.#options.name, pid: this.pid }, line);
  }

  #ended(how: string): void {
    const { name, log } = this.#options;
    this.#process = null;
    this.#stats = null;
    clearInterval(this.#watchTimer);
    if (this.#life.kind !== 'stopping') log.error({ model: name, how, requests: this.#requests.sentCount }, 'runner ended');
    this.#requests.processDied(toWireError(new EngineError('runner_died', `The process that ran ${name} ended with ${how}.`)));
    this.#step({ kind: 'exited', how: this.#lastOutput === '' ? how : `${how} (${this.#lastOutput})` });
    for (const resolve of this.#whenEnded.splice(0)) resolve();
    if (this.#requests.waitingCount > 0 && !this.#closed) this.#step({ kind: 'wanted' });
  }

  /** Silence is counted in ticks of our own, so that a suspended machine does not make the runner look dead. */
  #watch(limitMs: number): void {
    clearInterval(this.#watchTimer);
    this.#silentMs = 0;
    this.#watchTimer = setInterval(() => {
      const busy = this.#life.kind === 'loading' || this.#requests.sentCount > 0;
      this.#silentMs = busy ? this.#silentMs + WATCH_MS : 0;
      if (this.#silentMs >= limitMs) this.#giveUpSilent();
    }, WATCH_MS).unref();
  }

  #giveUpSilent(): void {
    const message = `The process of ${this.#options.name} has said nothing for ${Math.round(this.#silentMs / 1000)} s.`;
    this.#silentMs = 0;
    this.#options.log.error({ model: this.#options.name, pid: this.pid }, message);
    if (this.#life.kind === 'loading')
      this.#step({ kind: 'loadFailed', error: toWireError(new EngineError('model_load_failed', message)) });
    else this.#process?.kill();
  }
}
