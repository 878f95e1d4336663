// Owns the way of downloads through a proxy, as the environment names it: HTTPS_PROXY, HTTP_PROXY, NO_PROXY, in capitals or not.
// Knows nothing about what is downloaded. pip reads the same variables by itself.
import http from 'node:http';
import { EngineError } from '../../errors.ts';

const VARIABLES = ['https_proxy', 'HTTPS_PROXY', 'http_proxy', 'HTTP_PROXY', 'no_proxy', 'NO_PROXY'] as const;

type Environment = Readonly<Record<string, string | undefined>>;

/** Requests of this process go through the environment's proxies while `work` runs. @throws EngineError `invalid_request` for an address
 *  that is none; what `work` throws */
export async function throughProxies<T>(env: Environment, work: () => Promise<T>): Promise<T> {
  const leave = enter(Object.fromEntries(VARIABLES.flatMap((name) => (env[name] ? [[name, env[name]]] : []))));
  try {
    return await work();
  } finally {
    leave();
  }
}

function enter(proxies: Record<string, string>): () => void {
  if (Object.keys(proxies).length === 0) return () => undefined;
  try {
    return http.setGlobalProxyFromEnv(proxies);
  } catch (cause) {
    // The address itself may hold a password.
    throw new EngineError('invalid_request', 'HTTPS_PROXY or HTTP_PROXY is no address of a proxy, such as http://proxy.example:3128.', {
      param: 'HTTPS_PROXY',
      cause,
    });
  }
}
