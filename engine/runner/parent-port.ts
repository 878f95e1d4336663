// Owns the line to the process that started the runner: Node's fork channel, or Electron's utility process port.
// One interface hides which.
import type { FromRunner, ToRunner } from './protocol.ts';

export interface ParentPort {
  send(message: FromRunner): void;
  onMessage(handle: (message: ToRunner) => void): void;
  /** The parent has gone. */
  onClose(handle: () => void): void;
}

/** What Electron puts on `process` in a utility process (https://www.electronjs.org/docs/latest/api/process, `parentPort`). */
interface UtilityPort {
  postMessage(message: unknown): void;
  on(event: 'message', handle: (event: { readonly data: ToRunner }) => void): void;
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

/** Electron ends a utility process together with its parent, so nothing tells of a close. */
function utilityProcessPort(port: UtilityPort): ParentPort {
  return {
    send: (message) => port.postMessage(message),
    onMessage: (handle) => port.on('message', ({ data }) => handle(data)),
    onClose: () => undefined,
  };
}
