// Owns how runners are started and spoken to in the desktop app: the shell starts them, their messages come through a port of their own.
import type { RunnerListener, RunnerProcess, SpawnRunner } from '../fleet/runner-process.ts';
import type { FromRunner, ToRunner } from '../runner/protocol.ts';
import type { Program, Programs } from './programs.ts';
import type { ChannelPort } from './shell-port.ts';

/** The end of a process and the end of its port are told on two ways; messages may still be in the port for this long. */
const PORT_CLOSE_MS = 200;

export function remoteRunners(programs: Programs): SpawnRunner {
  return (listener) => new RemoteRunner(programs, listener);
}

class RemoteRunner implements RunnerProcess {
  readonly #listener: RunnerListener;
  readonly #program: Program;
  /** Messages from before the port was there. */
  #unsent: ToRunner[] | null = [];
  #port: ChannelPort | null = null;
  #exit: string | null = null;
  #portClosed = false;
  #reported = false;
  pid: number | undefined;

  constructor(programs: Programs, listener: RunnerListener) {
    this.#listener = listener;
    const onOutput = splitLines((line) => listener.onOutput(line));
    this.#program = programs.start('runner', [], {
      onStarted: (pid, port) => this.#connect(pid, port),
      onOutput: (_stream, text) => onOutput(text),
      onExit: (code) => this.#ended(code),
    });
  }

  send(message: ToRunner): void {
    if (this.#unsent !== null) this.#unsent.push(message);
    else this.#port?.postMessage(message);
  }

  kill(): void {
    this.#program.kill();
  }

  #connect(pid: number | null, port: ChannelPort): void {
    this.pid = pid ?? undefined;
    this.#port = port;
    port.on('message', ({ data }) => {
      if (!this.#reported) this.#listener.onMessage(data as FromRunner);
    });
    port.on('close', () => {
      this.#portClosed = true;
      this.#report();
    });
    port.start();
    for (const message of this.#unsent ?? []) port.postMessage(message);
    this.#unsent = null;
  }

  #ended(code: number): void {
    this.#exit = `exit code ${code}`;
    if (this.#port === null || this.#portClosed) return this.#report();
    setTimeout(() => {
      this.#portClosed = true;
      this.#report();
    }, PORT_CLOSE_MS);
  }

  #report(): void {
    if (this.#reported || this.#exit === null) return;
    this.#reported = true;
    this.#port?.close();
    this.#port = null;
    this.#listener.onExit(this.#exit);
  }
}

function splitLines(onLine: (line: string) => void): (text: string) => void {
  let rest = '';
  return (text) => {
    const lines = (rest + text).split('\n');
    rest = (lines.pop() ?? '').slice(-4096);
    for (const line of lines) if (line.trim() !== '') onLine(line);
  };
}
