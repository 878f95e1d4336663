// Owns the line from the engine to the desktop shell: Electron's `process.parentPort` and the ports that come through it.
// https://www.electronjs.org/docs/latest/api/parent-port
import type { FromShell, ToShell } from './protocol.ts';

/** One end of a channel to another process. Messages are held back until `start`. */
export interface ChannelPort {
  postMessage(message: unknown): void;
  on(event: 'message', handle: (event: { readonly data: unknown }) => void): unknown;
  on(event: 'close', handle: () => void): unknown;
  start(): void;
  close(): void;
}

interface ShellEvent {
  readonly data: FromShell;
  readonly ports: readonly ChannelPort[];
}

/** What Electron puts on `process` in a utility process. */
export interface ParentPort {
  postMessage(message: ToShell): void;
  on(event: 'message', handle: (event: ShellEvent) => void): unknown;
}

/** The shell's end. Throws when the process was not started by the desktop shell. */
export function openShellPort(): ParentPort {
  const port = (process as { readonly parentPort?: ParentPort }).parentPort;
  if (port === undefined) throw new Error('This file is started by the desktop app; to serve without it: millrace serve');
  return port;
}
