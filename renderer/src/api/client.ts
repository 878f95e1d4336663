// Asks the engine: JSON in, JSON out, one kind of error. Knows nothing about React or caching.
import { ApiError } from './api-error.ts';

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

export interface CallOptions {
  readonly method?: Method;
  /** Sent as JSON. A call that changes something always carries a JSON body, `{}` when it says nothing. */
  readonly body?: unknown;
  readonly signal?: AbortSignal;
}

/** @throws ApiError when the engine refuses, TypeError when it does not answer */
export async function call<T>(path: string, { method = 'GET', body, signal }: CallOptions = {}): Promise<T> {
  const init: RequestInit = { method, headers: { accept: 'application/json' } };
  if (method !== 'GET') Object.assign(init, { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body ?? {}) });
  if (signal !== undefined) init.signal = signal;
  const response = await fetch(path, init);
  const text = await response.text();
  if (!response.ok) {
    throw new ApiError(parseOr({}, text), { status: response.status, requestId: response.headers.get('x-request-id') });
  }
  return text === '' ? (null as T) : (JSON.parse(text) as T);
}

/** A path with its query; null and undefined are left out. */
export function withQuery(path: string, query: Readonly<Record<string, string | number | null | undefined>>): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== null && value !== undefined) params.set(name, String(value));
  const text = params.toString();
  return text === '' ? path : `${path}?${text}`;
}

/** A failing engine, or something between, may answer with text that is not JSON. */
function parseOr<T>(fallback: T, text: string): T {
  try {
    return JSON.parse(text) as T;
  } catch {
    return fallback;
  }
}
