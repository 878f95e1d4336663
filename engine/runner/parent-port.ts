// Owns the line to the engine: Node's fork channel, or a port that Electron's shell hands over.
// One interface hides which.
import type { FromRunner, ToRunner } from './protocol.ts';

export interface ParentPort {
  send(message: FromRunner): void;
  onMessage(handle: (message: ToRunner) => void): void;
  /** The parent has gone. */
  onClose(handle: () => void): void;
}

/** One end of a channel (https://www.electronjs.org/docs/latest/api/message-port-main). */
interface ChannelPort {
  postMessage(message: unknown): void;
  on(event: 'message', handle: (event: { readonly data: ToRunner }) => void): unknown;
  on(event: 'close', handle: () => void): unknown;
  start(): void;
}

/** What Electron puts on `process` in a utility process (https://www.electronjs.org/docs/latest/api/process, `parentPort`). */
interface UtilityPort {
  on(event: 'message', handle: (event: { readonly ports: readonly ChannelPort[] }) => void): unknown;
}

/** Throws when the process was started by hand. */
export function openParentPort(): ParentPort {
  const utilityPort = (process as { readonly parentPort?: UtilityPort }).parentPort;
  if (utilityPort !== undefined) return utilityProcessPort(utilityPort);
  if (process.send === undefined) throw new Error('A runner is started by the engine: there is no channel to a parent process.');
  return forkPort(process.send.bind(process));
}

function forkPort(send: NonNullable<typeof process.send>): ParentPort {
  return {
    // A channel that has closed is reported by onClose; what is sent after that has no reader.
    send: (message) => void (process.connected && send(message, undefined, undefined, () => undefined)),
    onMessage: (handle) => void process.on('message', (message) => handle(message as ToRunner)),
    onClose: (handle) => void process.on('disconnect', handle),
  };
}

/** The shell that started this process sends one message: a port to the engine, so that tokens take no way around. */
function utilityProcessPort(shell: UtilityPort): ParentPort {
  const { promise: port, resolve } = Promise.withResolvers<ChannelPort>();
  shell.on('message', ({ ports: [first] }) => first !== undefined && resolve(first));
  let connected: ChannelPort | null = null;
  void port.then((open) => (connected = open));
  return {
    // Whatever a runner sends answers something that came through the port.
    send: (message) => connected?.postMessage(message),
    onMessage: (handle) => void port.then((open) => (open.on('message', ({ data }) => handle(data)), open.start())),
    onClose: (handle) => void port.then((open) => open.on('close', handle)),
  };
}
