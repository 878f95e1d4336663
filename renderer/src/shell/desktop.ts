// What the desktop app gives the page: its preload sets `window.millraceShell`. Absent in a browser.
import { useEffect, useState } from 'react';

export type EngineProcess =
  | { readonly kind: 'starting' }
  | { readonly kind: 'serving'; readonly url: string }
  /** It has ended and is started again at this time. */
  | { readonly kind: 'waiting'; readonly reason: string; readonly retryAtMs: number }
  | { readonly kind: 'stopped' };

export interface DesktopInfo {
  readonly version: string;
  readonly platform: string;
  readonly engine: EngineProcess;
  readonly openAtLogin: boolean;
}

export interface DesktopShell {
  info(): Promise<DesktopInfo>;
  /** Now, instead of at its next try. */
  restartEngine(): Promise<unknown>;
  /** Returns whether it is on now. */
  setOpenAtLogin(on: boolean): Promise<boolean>;
  /** Returns how to stop. */
  onEngine(listener: (state: EngineProcess) => void): () => void;
}

declare global {
  interface Window {
    readonly millraceShell?: DesktopShell;
  }
}

export const desktopShell = (): DesktopShell | null => window.millraceShell ?? null;

/** How the app's engine process is; null in a browser, and before the app has said. */
export function useEngineProcess(): EngineProcess | null {
  const [state, setState] = useState<EngineProcess | null>(null);
  useEffect(() => {
    const shell = desktopShell();
    if (shell === null) return undefined;
    let isOver = false;
    let isTold = false;
    const stop = shell.onEngine((next) => {
      isTold = true;
      setState(next);
    });
    // What it tells meanwhile is newer than this answer.
    void shell.info().then(
      ({ engine }) => !isOver && !isTold && setState(engine),
      () => undefined, // The app is ending.
    );
    return () => {
      isOver = true;
      stop();
    };
  }, []);
  return state;
}
