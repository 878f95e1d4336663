// Owns the process of a job: `millrace pull`, `quantise` or `evaluate` with `--json` at low priority, and what its lines say.
// Knows nothing about jobs. A process that has stopped for a pause keeps its place; the download is kept however it ends.
import { spawn, type ChildProcess } from 'node:child_process';
import { constants, setPriority } from 'node:os';
import { fileURLToPath } from 'node:url';
import { assertNever } from '../errors.ts';
import type { JobRequest } from './job-control.ts';
import { PullOutput, type PullOutcome, type PullProgress } from './pull-lines.ts';

export interface PullListener {
  onProgress(progress: PullProgress): void;
  /** Called once, when the process is gone. */
  onEnd(outcome: PullOutcome): void;
}

export interface PullProcess {
  readonly pid: number | undefined;
  /** False where a process cannot be stopped and continued: it must then be ended and started again. */
  readonly canPause: boolean;
  pause(): void;
  resume(): void;
  /** Asks it to end, and makes it end `limitMs` later: a conversion looks between its steps whether it should. `onEnd` follows. */
  end(limitMs: number): void;
}

export type SpawnPull = (request: JobRequest, listener: PullListener) => PullProcess;

const CLI_ENTRY = fileURLToPath(new URL('../cli.ts', import.meta.url));
/** Windows has no signal that stops a process. */
const CAN_PAUSE = process.platform !== 'win32';

/** What follows `millrace`, to work in this data folder. */
export function jobArguments(request: JobRequest, dataDir: string): string[] {
  const common = ['--json', '--data-dir', dataDir];
  switch (request.kind) {
    case undefined:
    case 'pull':
      return ['pull', ...common, ...(request.precision === null ? [] : ['--precision', request.precision]), '--', request.name];
    case 'quantise':
      return ['quantise', ...common, '--precision', request.precision, ...(request.anew ? ['--anew'] : []), '--', request.model];
    case 'evaluate':
      return ['evaluate', ...common, '--', `${request.model}:${request.variant}`];
    default:
      return assertNever(request);
  }
}

/** Pulls into this data folder, with the Node that runs this process. */
export function pullSpawner(dataDir: string): SpawnPull {
  return (request, listener) => {
    const child = spawn(process.execPath, [CLI_ENTRY, ...jobArguments(request, dataDir)], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      // A group of its own, so that a pause stops the programs it runs too. The channel tells it when this process is gone.
      detached: CAN_PAUSE,
    });
    lowerPriority(child.pid);
    listen(child, listener);
    return control(child);
  };
}

/** Lets a process go on that was stopped when its engine died; it then sees that the engine is gone, and ends. */
export function continueOrphan(pid: number): void {
  if (CAN_PAUSE) signalGroup(pid, 'SIGCONT');
}

/** Requests come first: a conversion would take the cores of the models that serve. */
export function lowerPriority(pid: number | undefined): void {
  try {
    if (pid !== undefined) setPriority(pid, constants.priority.PRIORITY_LOW);
  } catch {
    // It has ended already, or the system does not allow it; the pull is right either way.
  }
}

function listen(child: ChildProcess, listener: PullListener): void {
  const output = new PullOutput((progress) => listener.onProgress(progress));
  child.stdout?.setEncoding('utf8').on('data', (text: string) => output.add('stdout', text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => output.add('stderr', text));
  child.once('error', (cause) => {
    if (child.pid === undefined) listener.onEnd({ kind: 'failed', reason: cause.message });
  });
  // NOTE: a child whose channel this side has closed never emits `close`: its end and that of its pipes are awaited one by one.
  let missing = 3;
  const onOneEnded = (): void => {
    if (--missing === 0 && child.pid !== undefined) listener.onEnd(output.outcome(child.exitCode, child.signalCode));
  };
  child.once('exit', onOneEnded);
  for (const pipe of [child.stdout, child.stderr]) pipe?.once('close', onOneEnded);
}

function control(child: ChildProcess): PullProcess {
  const { pid } = child;
  const signal = (name: NodeJS.Signals): void => {
    if (pid !== undefined && child.exitCode === null && child.signalCode === null) signalGroup(pid, name);
  };
  return {
    pid,
    canPause: CAN_PAUSE,
    pause: () => signal('SIGSTOP'),
    resume: () => signal('SIGCONT'),
    end: (limitMs) => {
      if (child.connected) child.disconnect();
      if (CAN_PAUSE) signal('SIGCONT');
      setTimeout(() => (CAN_PAUSE ? signal('SIGKILL') : child.kill()), limitMs).unref();
    },
  };
}

function signalGroup(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(-pid, name);
  } catch (cause) {
    // The group has ended by itself.
    if (!(cause instanceof Error && 'code' in cause && (cause.code === 'ESRCH' || cause.code === 'EPERM'))) throw cause;
  }
}
