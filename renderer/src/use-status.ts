// Owns the page's view of the engine: asks `/api/status` twice a second while the page is seen.
import { useEffect, useState } from 'react';
import type { EngineStatus } from '../../engine/contract.ts';

const LIVE_MS = 500;
const LOST_MS = 1_000;

export interface EngineView {
  /** The last answer; null before the first. */
  readonly status: EngineStatus | null;
  readonly lost: boolean;
}

export function useStatus(): EngineView {
  const [view, setView] = useState<EngineView>({ status: null, lost: false });
  useEffect(() => follow(setView), []);
  return view;
}

/** Asks until the returned function is called; each question waits for the answer before it. */
function follow(update: (change: (view: EngineView) => EngineView) => void): () => void {
  const stop = new AbortController();
  const ask = async (): Promise<number> => {
    if (document.hidden) return LIVE_MS;
    const status = await readStatus(stop.signal);
    if (!stop.signal.aborted) update((view) => ({ status: status ?? view.status, lost: status === null }));
    return status === null ? LOST_MS : LIVE_MS;
  };
  const loop = async (): Promise<void> => {
    while (!stop.signal.aborted) await delay(await ask());
  };
  void loop();
  return () => stop.abort();
}

/** Null when the engine does not answer as it should. */
async function readStatus(signal: AbortSignal): Promise<EngineStatus | null> {
  try {
    const response = await fetch('/api/status', { signal });
    const status: EngineStatus = await response.json();
    return response.ok ? status : null;
  } catch {
    return null; // Shown as a lost connection, and asked again.
  }
}

const delay = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
