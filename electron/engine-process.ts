// Owns the engine's process: starts it, starts it again when it ends, and says how it is.
// Knows nothing about windows or what the engine does.
import type { UtilityProcess } from 'electron';
import type { FromShell, ToShell } from '../engine/desktop/protocol.ts';
import { forkUtility, Programs, type ProgramsOptions } from './programs.ts';
import { restartDelayMs } from './restart-delay.ts';

export type EngineState =
  | { readonly kind: 'starting' }
  /** `isOurs` is false when another process serves the same data folder. */
  | { readonly kind: 'serving'; readonly url: string; readonly isOurs: boolean }
  /** It has ended and is started again at this time. */
  | { readonly kind: 'waiting'; readonly reason: string; readonly retryAtMs: number }
  | { readonly kind: 'stopped' };

export interface EngineProcessOptions extends ProgramsOptions {
  /** What the engine writes to its log. */
  readonly onOutput: (text: string) => void;
  readonly onState: (state: EngineState) => void;
  readonly onNotice: (notice: Notice) => void;
}

/** Something that a person should see at once. */
export interface Notice {
  readonly title: string;
  readonly body: string;
}

interface Running {
  readonly child: UtilityProcess;
  readonly programs: Programs;
  /** Why it will end, as it said itself. */
  reason: string | null;
}

/** How long an engine may take to end after its time to drain. */
const END_MS = 5_000;

export class EngineProcess {
  readonly #options: EngineProcessOptions;
  #running: Running | null = null;
  #state: EngineState = { kind: 'stopped' };
  #endsMs: readonly number[] = [];
  #cancelRetry: (() => void) | null = null;
  #isStopping = false;

  constructor(options: EngineProcessOptions) {
    this.#options = options;
  }

  get state(): EngineState {
    return this.#state;
  }

  /** Starts it now, unless it runs. */
  start(): void {
    if (this.#running !== null || this.#isStopping) return;
    this.#cancelRetry?.();
    this.#cancelRetry = null;
    const { electron, paths, onOutput } = this.#options;
    const child = forkUtility(electron, paths.engine, { args: [], name: 'Millrace engine' });
    const running: Running = { child, programs: new Programs(this.#options, child), reason: null };
    this.#running = running;
    this.#enter({ kind: 'starting' });
    child.on('message', (message: ToShell) => this.#hear(running, message));
    child.stdout?.on('data', (chunk: Buffer) => onOutput(chunk.toString('utf8')));
    child.stderr?.on('data', (chunk: Buffer) => onOutput(chunk.toString('utf8')));
    child.once('exit', (code) => this.#ended(running, code));
  }

  /** Lets running requests finish for at most this long. Resolves when the process has ended. */
  async stop(drainMs: number): Promise<void> {
    this.#isStopping = true;
    this.#cancelRetry?.();
    const running = this.#running;
    if (running !== null) {
      const { clock } = this.#options;
      const ended = new Promise<void>((resolve) => running.child.once('exit', () => resolve()));
      const close: FromShell = { kind: 'close', drainMs };
      running.child.postMessage(close);
      const cancel = clock.after(drainMs + END_MS, () => running.child.kill());
      await ended;
      cancel();
    }
    this.#enter({ kind: 'stopped' });
  }

  /** The engine of another process does not answer any more: starts our own, or finds the other one again. */
  lost(): void {
    if (this.#state.kind === 'serving' && !this.#state.isOurs) this.#startLater('The process that served the same data folder has gone.');
  }

  #hear(running: Running, message: ToShell): void {
    switch (message.kind) {
      case 'listening':
        return this.#enter({ kind: 'serving', url: message.url, isOurs: true });
      case 'notice':
        return this.#options.onNotice(message);
      case 'start':
        return running.programs.start(message);
      case 'kill':
        return running.programs.kill(message.id);
      case 'failed':
        return this.#giveUp(running, message.reason);
      case 'elsewhere':
        if (message.url === null) return this.#giveUp(running, 'Another process is starting to serve the same data folder.');
        this.#running = null;
        running.child.kill();
        return this.#enter({ kind: 'serving', url: message.url, isOurs: false });
    }
  }

  #giveUp(running: Running, reason: string): void {
    running.reason = reason;
    running.child.kill();
  }

  #ended(running: Running, code: number): void {
    running.programs.killAll();
    if (this.#running !== running) return;
    this.#running = null;
    if (this.#isStopping) return;
    this.#startLater(running.reason ?? `The engine ended unexpectedly with exit code ${code}.`);
  }

  #startLater(reason: string): void {
    const { clock } = this.#options;
    const nowMs = clock.now();
    // More than these say nothing new: the delay has reached its end.
    this.#endsMs = [...this.#endsMs, nowMs].slice(-20);
    const delayMs = restartDelayMs(this.#endsMs, nowMs);
    this.#cancelRetry = clock.after(delayMs, () => this.start());
    this.#enter({ kind: 'waiting', reason, retryAtMs: nowMs + delayMs });
  }

  #enter(state: EngineState): void {
    this.#state = state;
    this.#options.onState(state);
  }
}
