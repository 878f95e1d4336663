// Owns one HTTP request to an upstream whose answer is a stream of events: where it may go, how long it may stay silent, how much it may send.
// The one import of HTTP clients. Redirects are not followed: they could lead anywhere.
import { lookup } from 'node:dns';
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { LookupFunction } from 'node:net';
import { createParser } from 'eventsource-parser';
import { EngineError } from '../../errors.ts';
import { addressOf, isAllowedAddress } from './address.ts';
import { isObject, saidBy, type WireRequest } from './wire.ts';

export interface PostLimits {
  /** Longest silence, before the answer and in it. */
  readonly silentMs: number;
  /** Longest event, and the longest answer that is no stream. */
  readonly eventChars: number;
}

export const POST_LIMITS: PostLimits = { silentMs: 120_000, eventChars: 2 ** 20 };

export interface PostOptions extends WireRequest {
  readonly baseUrl: string;
  readonly limits?: PostLimits;
  readonly signal: AbortSignal;
  /** Whether the request may cost money, as far as is known: from its sending on, until it is refused. */
  readonly onCostly: (mayCost: boolean) => void;
  readonly onEvent: (event: { readonly name: string | undefined; readonly data: string }) => void;
}

const AGENTS = {
  'http:': new HttpAgent({ keepAlive: true, timeout: 30_000 }),
  'https:': new HttpsAgent({ keepAlive: true, timeout: 30_000 }),
};

/** Names are judged by what they resolve to, when they are connected to. */
const lookupAllowed: LookupFunction = (hostname, options, callback) => {
  lookup(hostname, { ...options, all: true }, (error, addresses) => {
    if (error !== null) return callback(error, []);
    const allowed = addresses.filter(({ address }) => isAllowedAddress(address));
    const [first] = allowed;
    if (first === undefined) return callback(new Error(`${hostname} is at no address of an upstream`), []);
    return options.all === true ? callback(null, allowed) : callback(null, first.address, first.family);
  });
};

/**
 * Resolves when the stream has ended, however it ended; each event was handed on before.
 * @throws EngineError `upstream_failed`, with the seconds the upstream asks for; `unsupported_parameter` where it refuses the request;
 * what `onEvent` throws; the signal's reason
 */
export function postStream({ baseUrl, path, headers, body, limits = POST_LIMITS, signal, onCostly, onEvent }: PostOptions): Promise<void> {
  const address = addressOf(baseUrl, path);
  if (address.kind === 'refused') return Promise.reject(failed(`cannot be asked: ${address.reason}`));
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const { url } = address;
  const isSecure = url.protocol === 'https:';
  const content = JSON.stringify(body);
  const request = (isSecure ? httpsRequest : httpRequest)(url, {
    method: 'POST',
    agent: isSecure ? AGENTS['https:'] : AGENTS['http:'],
    lookup: lookupAllowed,
    signal,
    timeout: limits.silentMs,
    headers: { 'content-type': 'application/json', accept: 'text/event-stream', 'content-length': Buffer.byteLength(content), ...headers },
  });
  const fail = (error: unknown): void => {
    reject(signal.aborted ? signal.reason : error);
    request.destroy();
  };
  request.on('error', (cause) => fail(cause instanceof EngineError ? cause : failed(`cannot be reached: ${cause.message}`, { cause })));
  request.on('timeout', () => fail(failed(`said nothing for ${limits.silentMs} ms`)));
  // A socket that is used again is connected already.
  request.on('socket', (socket) => (socket.connecting ? socket.once('connect', () => onCostly(true)) : onCostly(true)));
  request.on('response', (response) => {
    if (response.statusCode !== 200) onCostly(false);
    const reading = response.statusCode === 200 ? readEvents(response, { limits, onEvent }) : readRefusal(response, limits);
    reading.then(resolve, fail);
  });
  request.end(content);
  return promise;
}

async function readEvents(
  response: IncomingMessage,
  { limits, onEvent }: Pick<PostOptions, 'onEvent'> & { limits: PostLimits },
): Promise<void> {
  let unparsed = 0;
  const parser = createParser({
    onEvent: ({ event, data }) => {
      unparsed = 0;
      onEvent({ name: event, data });
    },
  });
  response.setEncoding('utf8');
  try {
    for await (const part of response) {
      const text = String(part);
      unparsed += text.length;
      parser.feed(text);
      if (unparsed > limits.eventChars) throw failed('sends an event without an end');
    }
  } catch (cause) {
    throw cause instanceof EngineError ? cause : failed('broke off', { cause });
  }
}

/** Always throws. */
async function readRefusal(response: IncomingMessage, limits: PostLimits): Promise<never> {
  const { statusCode: status = 0, headers } = response;
  const retryAfterSeconds = secondsOf(headers['retry-after']);
  const detail = retryAfterSeconds === null ? {} : { retryAfterSeconds };
  // What is said about a key may hold it.
  if (status === 401 || status === 403) throw failed(`refuses the key that is kept for it (HTTP ${status})`, detail);
  if (status >= 300 && status < 400) throw failed(`answers with a redirect (HTTP ${status}), which is not followed`);
  const said = await readSaid(response, limits.eventChars);
  if (status === 400 || status === 413 || status === 422)
    throw new EngineError('unsupported_parameter', `The upstream refuses the request: ${said}`);
  throw failed(`answers with HTTP ${status}: ${said}`, detail);
}

async function readSaid(response: IncomingMessage, most: number): Promise<string> {
  let text = '';
  response.setEncoding('utf8');
  for await (const part of response) {
    text += String(part);
    if (text.length > most) break;
  }
  try {
    const body: unknown = JSON.parse(text);
    return isObject(body) ? saidBy(body['error'] ?? body) : 'no reason';
  } catch {
    // Pages of proxies and the like.
    return 'no reason';
  }
}

const LONGEST_RETRY_SECONDS = 3_600;

/** Seconds or a date (RFC 9110, 10.2.3); null where it is neither. */
function secondsOf(header: string | undefined): number | null {
  if (header === undefined) return null;
  const seconds = /^\d+$/.test(header) ? Number(header) : (Date.parse(header) - Date.now()) / 1000;
  return Number.isFinite(seconds) ? Math.min(LONGEST_RETRY_SECONDS, Math.max(0, seconds)) : null;
}

function failed(what: string, options: { retryAfterSeconds?: number; cause?: unknown } = {}): EngineError {
  return new EngineError('upstream_failed', `The upstream ${what}.`, options);
}
