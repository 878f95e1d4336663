// Owns the messages between the engine and the desktop shell that started it as a utility process.
// Types only: the shell knows nothing else of the engine but its HTTP API.

/** What the shell can start on the engine's behalf, since the packaged program cannot be run as Node. */
export type ProgramName = 'runner' | 'pull';

export type ToShell =
  /** It answers at this address. */
  | { readonly kind: 'listening'; readonly url: string }
  /** Another process serves the same data folder, at this address if it is known; this one ends. */
  | { readonly kind: 'elsewhere'; readonly url: string | null }
  /** It cannot start, for this reason; it ends. */
  | { readonly kind: 'failed'; readonly reason: string }
  /** Something that a person should see at once. */
  | { readonly kind: 'notice'; readonly title: string; readonly body: string }
  | { readonly kind: 'start'; readonly id: number; readonly program: ProgramName; readonly args: readonly string[] }
  | { readonly kind: 'kill'; readonly id: number };

export type FromShell =
  /** The program runs; the message carries one end of a port to it. */
  | { readonly kind: 'started'; readonly id: number; readonly pid: number | null }
  | { readonly kind: 'output'; readonly id: number; readonly stream: 'stdout' | 'stderr'; readonly text: string }
  /** The last message about this program. */
  | { readonly kind: 'exited'; readonly id: number; readonly code: number }
  /** Let running requests finish, then end. */
  | { readonly kind: 'close'; readonly drainMs: number };

/** What a program gets first from the shell, with the other end of the port. */
export interface PortMessage {
  readonly kind: 'port';
}
