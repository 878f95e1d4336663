// Owns the programs that the shell runs for the engine: gives each a number, and takes its messages to whoever started it.
// Knows nothing about what a program does.
import type { FromShell, ProgramName } from './protocol.ts';
import type { ChannelPort, ParentPort } from './shell-port.ts';

export interface ProgramListener {
  /** Once, with the port to it. */
  onStarted(pid: number | null, port: ChannelPort): void;
  onOutput(stream: 'stdout' | 'stderr', text: string): void;
  /** Once, the last call. */
  onExit(code: number): void;
}

export interface Program {
  /** Ends it without a chance to finish. Safe to call when it has ended. */
  kill(): void;
}

type AboutProgram = Extract<FromShell, { readonly id: number }>;

export class Programs {
  readonly #shell: ParentPort;
  readonly #listeners = new Map<number, ProgramListener>();
  #nextId = 1;

  constructor(shell: ParentPort) {
    this.#shell = shell;
    shell.on('message', ({ data, ports }) => {
      if (data.kind !== 'close') this.#tell(data, ports[0]);
    });
  }

  start(program: ProgramName, args: readonly string[], listener: ProgramListener): Program {
    const id = this.#nextId++;
    this.#listeners.set(id, listener);
    this.#shell.postMessage({ kind: 'start', id, program, args });
    return { kill: () => this.#listeners.has(id) && this.#shell.postMessage({ kind: 'kill', id }) };
  }

  #tell(message: AboutProgram, port: ChannelPort | undefined): void {
    const listener = this.#listeners.get(message.id);
    if (listener === undefined) return;
    if (message.kind === 'started' && port !== undefined) listener.onStarted(message.pid, port);
    if (message.kind === 'output') listener.onOutput(message.stream, message.text);
    if (message.kind === 'exited') {
      this.#listeners.delete(message.id);
      listener.onExit(message.code);
    }
  }
}
