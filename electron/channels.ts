// Owns what the page and the shell say to each other: one map of calls, one of events, with the types of both ends.
import type { EngineState } from './engine-process.ts';

/** What the page can ask of the shell. */
export interface ShellCalls {
  'shell:info': { readonly args: readonly []; readonly result: ShellInfo };
  /** Starts an engine that has ended now, instead of at its next try. */
  'shell:restart-engine': { readonly args: readonly []; readonly result: null };
  'shell:open-at-login': { readonly args: readonly [on: boolean]; readonly result: boolean };
}

/** What the shell tells the page unasked. */
export interface ShellEvents {
  'shell:engine': EngineState;
}

export interface ShellInfo {
  readonly version: string;
  readonly platform: string;
  readonly engine: EngineState;
  readonly openAtLogin: boolean;
}

/** What the page finds as `window.millraceShell`; absent in a browser. */
export interface ShellBridge {
  info(): Promise<ShellInfo>;
  restartEngine(): Promise<null>;
  /** Returns whether it is on now. */
  setOpenAtLogin(on: boolean): Promise<boolean>;
  /** Returns how to stop. */
  onEngine(listener: (state: EngineState) => void): () => void;
}
