// Explains requests that no route takes: 404, or 405 with `Allow` where another method would do.
// Owns the list of routes, as they are registered.
import { EngineError } from '../errors.ts';
import type { GatewayApp } from './context.ts';

interface KnownPath {
  readonly pattern: RegExp;
  readonly methods: Set<string>;
}

/** What to say of a request that no route takes. */
export type ExplainUnknown = (method: string, url: string) => { readonly error: EngineError; readonly allow: string | null };

/** Must be called before the routes are registered. */
export function followRoutes(app: GatewayApp): ExplainUnknown {
  const known = new Map<string, KnownPath>();
  app.addHook('onRoute', ({ url, method }) => {
    const entry = known.get(url) ?? { pattern: toPattern(url), methods: new Set<string>() };
    for (const one of [method].flat()) entry.methods.add(one);
    known.set(url, entry);
  });
  return (method, url) => {
    const path = url.split('?')[0] ?? '';
    const methods = [...known.values()].filter(({ pattern }) => pattern.test(path)).flatMap((entry) => [...entry.methods]);
    return methods.length === 0 || methods.includes(method)
      ? notFound(method, path)
      : notAllowed(method, path, [...new Set(methods), 'OPTIONS'].join(', '));
  };
}

function notFound(method: string, path: string): ReturnType<ExplainUnknown> {
  return { error: new EngineError('not_found', `There is no ${method} ${clip(path)} here; see /docs/ for what there is.`), allow: null };
}

function notAllowed(method: string, path: string, allow: string): ReturnType<ExplainUnknown> {
  return { error: new EngineError('method_not_allowed', `${clip(path)} does not take ${method}; it takes ${allow}.`), allow };
}

/** `/v1/models/:id` matches one segment in place of `:id`; a final `*` matches the rest. */
function toPattern(url: string): RegExp {
  const segments = url.split('/').map((segment) => (segment.startsWith(':') ? '[^/]+' : segment === '*' ? '.*' : RegExp.escape(segment)));
  return new RegExp(`^${segments.join('/')}$`);
}

const clip = (path: string): string => (path.length > 200 ? `${path.slice(0, 200)}…` : path);
