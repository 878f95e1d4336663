// Owns the search for stop strings in text that arrives in pieces. Pure functions; the caller keeps the text.

export interface StopMatch {
  /** Where the text before the stop string ends. */
  readonly at: number;
  readonly stop: string;
}

/** The earliest stop string in `text` that ends after `from`; of those that begin at the same place, the longest. Null: none. */
export function findStop(text: string, stops: readonly string[], from: number): StopMatch | null {
  let found: StopMatch | null = null;
  for (const stop of stops) {
    if (stop === '') continue;
    const at = text.indexOf(stop, Math.max(0, from - stop.length + 1));
    if (at < 0) continue;
    if (found === null || at < found.at || (at === found.at && stop.length > found.stop.length)) found = { at, stop };
  }
  return found;
}

/** How much of `text` can be given out: all but the longest end that may be the beginning of a stop string. */
export function safeLength(text: string, stops: readonly string[]): number {
  let held = 0;
  for (const stop of stops) {
    for (let length = Math.min(stop.length - 1, text.length); length > held; length--) {
      if (text.endsWith(stop.slice(0, length))) held = length;
    }
  }
  return withoutLoneSurrogate(text, text.length - held);
}

/** A cut between the halves of a surrogate pair moves before the pair. */
function withoutLoneSurrogate(text: string, length: number): number {
  const last = text.charCodeAt(length - 1);
  return length > 0 && last >= 0xd800 && last < 0xdc00 ? length - 1 : length;
}
