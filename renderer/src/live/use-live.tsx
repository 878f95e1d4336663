// The live state of the engine for components: all of it, or a part that alone makes them draw again.
import { createContext, useContext, useEffect, useState, useSyncExternalStore, type ReactNode } from 'react';
import type { NowSnapshot } from '../../../engine/contract.ts';
import { LiveFeed, type LiveState } from './live-feed.ts';

const FeedContext = createContext<LiveFeed | null>(null);

/** One connection for the whole page. */
export function LiveProvider({ children }: { readonly children: ReactNode }) {
  const [feed] = useState(() => new LiveFeed());
  useEffect(() => {
    feed.start();
    return () => feed.stop();
  }, [feed]);
  return <FeedContext value={feed}>{children}</FeedContext>;
}

/** The whole live state; draws again twice a second. */
export const useLive = (): LiveState => useLivePart((state) => state);

/** The last snapshot; null before the first. */
export const useNow = (): NowSnapshot | null => useLivePart(({ now }) => now);

/** A part of the live state: give a plain value, since what is compared is identity. */
export function useLivePart<T>(select: (state: LiveState) => T): T {
  const feed = useContext(FeedContext);
  if (feed === null) throw new Error('A part of the page follows the engine outside of its provider. This is a bug.');
  return useSyncExternalStore(feed.subscribe, () => select(feed.read()));
}
