// Owns the events of one generation so far, as they came: whoever hears them later gets the same pieces.
// Knows nothing about who listens.
import type { GenerateEvent, Timings } from '../../runner/protocol.ts';

export class RecordedAnswer {
  #events: GenerateEvent[] = [];

  /** `started` begins anew. Errors are no part of an answer. */
  add(event: GenerateEvent): void {
    if (event.kind === 'started') this.#events = [];
    if (event.kind !== 'error') this.#events.push(event);
  }

  /** Those that came until now. */
  events(): readonly GenerateEvent[] {
    return [...this.#events];
  }
}

const NO_TIME: Timings = { queueMs: 0, prefillMs: 0, decodeMs: 0, meanBatch: 0, draftedTokens: 0, acceptedTokens: 0, deviceMs: 0 };

/** The event as it is told to somebody for whom nothing was computed: the whole prompt was cached, and no time was used. */
export function asCached(event: GenerateEvent): GenerateEvent {
  if (event.kind === 'started') return { ...event, cachedTokens: event.promptTokens };
  if (event.kind !== 'done') return event;
  return { ...event, usage: { ...event.usage, cachedTokens: event.usage.promptTokens }, timings: NO_TIME };
}
