// Owns the shell's view of what the engine does: follows `/api/live`, as the page does, and comes back after a disconnect.
import { setTimeout } from 'node:timers/promises';
import { createParser } from 'eventsource-parser';
import type { NowSnapshot } from '../engine/contract.ts';

export type LiveView = Pick<NowSnapshot, 'state' | 'tokensPerSecond' | 'queue' | 'alerts'>;

export interface LiveOptions {
  readonly engineUrl: string;
  /** Ends it. */
  readonly signal: AbortSignal;
  readonly onView: (view: LiveView) => void;
  /** The engine does not answer; called after each failed try. */
  readonly onLost: () => void;
  readonly retryMs?: number;
}

const RETRY_MS = 2_000;

/** Follows until the signal ends it; resolves then. */
export async function followLive({ engineUrl, signal, onView, onLost, retryMs = RETRY_MS }: LiveOptions): Promise<void> {
  while (!signal.aborted) {
    try {
      await readEvents(engineUrl, signal, onView);
    } catch (cause) {
      if (!(cause instanceof Error)) throw cause;
    }
    if (signal.aborted) return;
    onLost();
    await setTimeout(retryMs, undefined, { signal }).catch(() => undefined);
  }
}

/** Resolves when the engine ends the stream. Rejects when it does not answer, or the signal ends. */
async function readEvents(engineUrl: string, signal: AbortSignal, onView: (view: LiveView) => void): Promise<void> {
  const answer = await fetch(new URL('/api/live', engineUrl), { headers: { accept: 'text/event-stream' }, signal, redirect: 'error' });
  if (!answer.ok || answer.body === null) throw new Error(`/api/live answered with status ${answer.status}.`);
  const parser = createParser({
    onEvent: ({ event, data }) => {
      if (event === 'now') onView(JSON.parse(data) as NowSnapshot);
    },
  });
  const decoder = new TextDecoder();
  for await (const chunk of answer.body) parser.feed(decoder.decode(chunk, { stream: true }));
}
