// Owns the page's copy of what the engine answered: reads are kept by their path, changes make reads stale.
import { keepPreviousData, QueryClient, QueryClientProvider, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import { ApiError } from './api-error.ts';
import { call, type Method } from './client.ts';

export function ApiProvider({ children }: { readonly children: ReactNode }) {
  const [client] = useState(newClient);
  return <QueryClientProvider client={client}>{children}</QueryClientProvider>;
}

/** Reads that nobody shows are dropped after a minute, so that a page left open for a day does not grow. */
function newClient(): QueryClient {
  const retry = (failures: number, error: Error): boolean => failures < 2 && !(error instanceof ApiError && error.status < 500);
  return new QueryClient({
    defaultOptions: { queries: { gcTime: 60_000, staleTime: 1_000, retry, retryDelay: 500, networkMode: 'always' } },
  });
}

export interface ReadOptions {
  /** Ask again after so many ms, while it is shown. */
  readonly everyMs?: number;
  readonly enabled?: boolean;
  /** Show the answer to the path before while the next one loads. */
  readonly keep?: boolean;
}

/** `GET path`; the path with its query is the key. */
export function useRead<T>(path: string, { everyMs, enabled = true, keep = false }: ReadOptions = {}) {
  return useQuery<T>({
    queryKey: [path.split('?')[0], path],
    queryFn: ({ signal }) => call<T>(path, { signal }),
    enabled,
    refetchInterval: everyMs ?? false,
    ...(keep ? { placeholderData: keepPreviousData } : {}),
  });
}

export interface Change {
  readonly method: Method;
  readonly path: string;
  readonly body?: unknown;
}

/** A change of something in the engine; reads of the given paths are asked again once it is done. */
export function useChange<T = unknown>(stale: readonly string[] = []) {
  const client = useQueryClient();
  return useMutation<T, Error, Change>({
    mutationFn: ({ path, ...options }) => call<T>(path, options),
    networkMode: 'always',
    onSettled: async () => {
      await Promise.all(stale.map((path) => client.invalidateQueries({ queryKey: [path] })));
    },
  });
}
