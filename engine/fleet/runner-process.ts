// Owns how a runner process is started and spoken to. Hides whether it is a forked child or an Electron utility process.
// Knows nothing about models or requests.
import { fork, type ChildProcess } from 'node:child_process';
import { getCompileCacheDir } from 'node:module';
import { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { FromRunner, ToRunner } from '../runner/protocol.ts';

export interface RunnerProcess {
  readonly pid: number | undefined;
  send(message: ToRunner): void;
  /** Ends it without a chance to finish. Safe to call when it has ended. */
  kill(): void;
}

export interface RunnerListener {
  onMessage(message: FromRunner): void;
  /** Called once, after the last message. `how` is an exit code or a signal, in words. */
  onExit(how: string): void;
  /** A line the process wrote to stdout or stderr. */
  onOutput(line: string): void;
}

export type SpawnRunner = (listener: RunnerListener) => RunnerProcess;

/** Starts runners, and may have one ready. */
export interface RunnerSource {
  readonly spawn: SpawnRunner;
  /** Ends the process that was started ahead, unless it is in use. */
  discard(): void;
}

export const RUNNER_ENTRY = fileURLToPath(new URL('../runner/main.ts', import.meta.url));

/** Messages may still lie in the pipe when the process is known to be dead; wait this long for its end. */
const CHANNEL_CLOSE_MS = 200;

/** Starts `entryFile` with the Node that runs this process, over an IPC channel with structured clone. */
export function forkRunner(entryFile: string): SpawnRunner {
  return (listener) => adopt(startChild(entryFile), listener);
}

/** Like `forkRunner`, with the first process started right now: it boots while the caller finds out which model it is for.
 *  A process that nobody adopts does not keep this one alive, and ends with it or with `discard`. */
export function forkRunnerAhead(entryFile: string): RunnerSource {
  let spare: ChildProcess | null = startChild(entryFile);
  hold(spare, 'unref');
  spare.once('exit', () => (spare = null));
  const take = (): ChildProcess | null => {
    const taken = spare;
    spare = null;
    return taken;
  };
  return {
    spawn: (listener) => {
      const ahead = take();
      if (ahead !== null) hold(ahead, 'ref');
      return adopt(ahead ?? startChild(entryFile), listener);
    },
    discard: () => void take()?.kill('SIGKILL'),
  };
}

function startChild(entryFile: string): ChildProcess {
  return fork(entryFile, [], {
    serialization: 'advanced',
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    execArgv: [],
    env: childEnvironment(),
  });
}

/** Whether the child keeps this process's event loop alive: by itself, its channel and its pipes. */
function hold(child: ChildProcess, how: 'ref' | 'unref'): void {
  child[how]();
  child.channel?.[how]();
  for (const pipe of [child.stdout, child.stderr]) if (pipe instanceof Socket) pipe[how]();
}

function adopt(child: ChildProcess, listener: RunnerListener): RunnerProcess {
  child.on('message', (message) => listener.onMessage(message as FromRunner));
  child.on('error', (cause) => listener.onOutput(cause.message));
  child.stdout?.setEncoding('utf8').on('data', splitLines(listener));
  child.stderr?.setEncoding('utf8').on('data', splitLines(listener));
  watchEnd(child, listener);
  return {
    pid: child.pid,
    send: (message) => sendTo(child, message),
    kill: () => void child.kill('SIGKILL'),
  };
}

/** The compile cache is switched on by environment, so that it covers the child's first file too. */
function childEnvironment(): NodeJS.ProcessEnv {
  const cache = getCompileCacheDir();
  return cache === undefined ? process.env : { ...process.env, NODE_COMPILE_CACHE: cache };
}

/** A message to a process that is ending is lost; its end is reported by `onExit`. */
function sendTo(child: ChildProcess, message: ToRunner): void {
  if (child.connected) child.send(message, () => undefined);
}

function watchEnd(child: ChildProcess, listener: RunnerListener): void {
  let how: string | null = null;
  let reported = false;
  const report = (): void => {
    if (reported || how === null) return;
    reported = true;
    listener.onExit(how);
  };
  child.once('exit', (code, signal) => {
    how = signal === null ? `exit code ${String(code)}` : `signal ${signal}`;
    if (child.connected) setTimeout(report, CHANNEL_CLOSE_MS);
    else report();
  });
  child.once('disconnect', report);
  child.once('error', (cause) => {
    if (child.pid !== undefined) return;
    how = cause.message;
    report();
  });
}

function splitLines(listener: RunnerListener): (chunk: string) => void {
  let rest = '';
  return (chunk) => {
    const lines = (rest + chunk).split('\n');
    rest = (lines.pop() ?? '').slice(-4096);
    for (const line of lines) if (line.trim() !== '') listener.onOutput(line);
  };
}
