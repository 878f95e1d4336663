// Where in the page the reader is: `#/history?model=x`. In the hash, so that the engine serves one page and Electron needs no server.
import { useSyncExternalStore } from 'react';

const read = (): string => location.hash.replace(/^#?\/?/, '/');

function subscribe(listener: () => void): () => void {
  addEventListener('hashchange', listener);
  return () => removeEventListener('hashchange', listener);
}

/** Goes to `/path?query`; `replace` leaves no step to go back to. */
export function goTo(to: string, options: { readonly replace?: boolean } = {}): void {
  if (options.replace !== true) {
    location.hash = to;
    return;
  }
  history.replaceState(null, '', `#${to}`);
  dispatchEvent(new HashChangeEvent('hashchange'));
}

/** For wouter's Router: the path without its query, and how to go elsewhere. */
export function useHashPath(): [string, typeof goTo] {
  const at = useSyncExternalStore(subscribe, read);
  return [at.split('?')[0] ?? '/', goTo];
}

/** The query of the place, as text without `?`. */
export const useHashSearch = (): string => useSyncExternalStore(subscribe, read).split('?')[1] ?? '';

useHashPath.hrefs = (to: string): string => `#${to}`;

type ChangeQuery = (fields: Readonly<Record<string, string | null>>, options?: { readonly newStep?: boolean }) => void;

/** The fields of the place's query, and how to change some of them; null takes a field out, `newStep` can be gone back from. */
export function usePlaceQuery(): [URLSearchParams, ChangeQuery] {
  const [path] = useHashPath();
  const search = useHashSearch();
  const params = new URLSearchParams(search);
  const change: ChangeQuery = (fields, { newStep = false } = {}) => {
    for (const [name, value] of Object.entries(fields)) {
      if (value === null || value === '') params.delete(name);
      else params.set(name, value);
    }
    const text = params.toString();
    goTo(text === '' ? path : `${path}?${text}`, { replace: !newStep });
  };
  return [params, change];
}
