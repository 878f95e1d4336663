// Electron's utility processes and message channels over Node's fork, so that the real engine and real runners can be started as the
// desktop app starts them. What Electron does with a port, this process does by passing messages on.
import { fork, type ChildProcess } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { ProgramsElectron } from '../../electron/programs.ts';

const SHIM = fileURLToPath(new URL('utility-shim.mjs', import.meta.url));

interface RelayPort {
  readonly id: number;
  peer: RelayPort | null;
  owner: ChildProcess | null;
  isClosed: boolean;
}

type FromChild =
  | { readonly kind: 'parent'; readonly data: unknown }
  | { readonly kind: 'port'; readonly id: number; readonly data: unknown }
  | { readonly kind: 'close'; readonly id: number };

export class RealUtility {
  readonly #env: NodeJS.ProcessEnv;
  readonly #ports = new Map<number, RelayPort>();
  readonly children: ChildProcess[] = [];

  constructor(env: NodeJS.ProcessEnv) {
    this.#env = env;
  }

  get api(): ProgramsElectron {
    const newPort = (): RelayPort => this.#newPort();
    const channel = class {
      readonly port1 = newPort();
      readonly port2 = newPort();
      constructor() {
        this.port1.peer = this.port2;
        this.port2.peer = this.port1;
      }
    };
    return { utilityProcess: { fork: this.#fork }, MessageChannelMain: channel } as unknown as ProgramsElectron;
  }

  #newPort(): RelayPort {
    const port: RelayPort = { id: this.#ports.size + 1, peer: null, owner: null, isClosed: false };
    this.#ports.set(port.id, port);
    return port;
  }

  #fork = (entry: string, args: readonly string[]): EventEmitter => {
    const child = fork(entry, [...args], {
      execArgv: ['--import', SHIM],
      env: this.#env,
      serialization: 'advanced',
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.children.push(child);
    const face = Object.assign(new EventEmitter(), {
      pid: child.pid,
      stdout: child.stdout,
      stderr: child.stderr,
      kill: () => child.kill(),
      postMessage: (data: unknown, ports: readonly RelayPort[] = []) => {
        for (const port of ports) port.owner = child;
        post(child, { kind: 'parent', data, portIds: ports.map(({ id }) => id) });
      },
    });
    child.once('spawn', () => face.emit('spawn'));
    child.on('message', (message: FromChild) => this.#hear(face, message));
    child.once('exit', (code) => {
      for (const port of this.#ports.values()) if (port.owner === child) this.#close(port);
      face.emit('exit', code ?? 15);
    });
    return face;
  };

  #hear(face: EventEmitter, message: FromChild): void {
    if (message.kind === 'parent') return void face.emit('message', message.data);
    const port = this.#ports.get(message.id);
    if (port === undefined) return;
    if (message.kind === 'close') return this.#close(port);
    const { peer } = port;
    if (peer !== null && peer.owner !== null) post(peer.owner, { kind: 'port', id: peer.id, data: message.data });
  }

  #close(port: RelayPort): void {
    const { peer } = port;
    if (port.isClosed || peer === null) return;
    port.isClosed = true;
    peer.isClosed = true;
    if (peer.owner !== null) post(peer.owner, { kind: 'closed', id: peer.id });
  }
}

function post(child: ChildProcess, message: object): void {
  if (child.connected) child.send(message, () => undefined);
}
