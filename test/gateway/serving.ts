// A gateway over a fake host, listening on a free port, and small ways to talk to it.
import { connect } from 'node:net';
import { EventSourceParserStream } from 'eventsource-parser/stream';
import { pino } from 'pino';
import { afterEach } from 'vitest';
import type { ModelHost } from '../../engine/fleet/host.ts';
import { createGateway, type Gateway, type GatewayConfig, type GatewayOptions } from '../../engine/gateway/gateway.ts';
import { FakeHost, type FakeHostOptions } from '../fakes/host.ts';

export interface Serving {
  readonly host: FakeHost;
  readonly gateway: Gateway;
  readonly url: string;
  readonly port: number;
}

const open: Gateway[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((gateway) => gateway.close({ drainMs: 0 })));
});

/** Closed after the test. `before` stands between the gateway and the host. */
export async function serving(
  options: FakeHostOptions = {},
  config: Partial<GatewayConfig> = {},
  before: (host: FakeHost) => ModelHost = (host) => host,
  extras: Partial<Pick<GatewayOptions, 'access' | 'lan' | 'accounting' | 'onRecord' | 'console' | 'checklist' | 'loadTests' | 'now'>> = {},
): Promise<Serving> {
  const host = new FakeHost(options);
  const full = { host: '127.0.0.1', port: 0, version: '1.2.3', ...config };
  const gateway = await createGateway({ host: before(host), config: full, log: pino({ level: 'silent' }), ...extras });
  open.push(gateway);
  const { url, port } = await gateway.listen();
  return { host, gateway, url, port };
}

export const ask = (extra: object = {}) => ({ model: 'fake', messages: [{ role: 'user', content: 'hello' }], ...extra });

export function post(url: string, body: unknown, init: RequestInit = {}): Promise<Response> {
  return fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body), ...init });
}

export interface WireErrorBody {
  readonly error: { readonly message: string; readonly type: string; readonly param: string | null; readonly code: string };
}

/** Status and error of an answer that must have the one error shape. @throws when it has another */
export async function errorOf(response: Response): Promise<WireErrorBody['error'] & { readonly status: number }> {
  const body: unknown = JSON.parse(await response.text());
  if (!isErrorBody(body)) throw new Error(`Not the error shape: ${JSON.stringify(body)}`);
  return { status: response.status, ...body.error };
}

function isErrorBody(body: unknown): body is WireErrorBody {
  if (typeof body !== 'object' || body === null || !('error' in body) || Object.keys(body).length !== 1) return false;
  const { error } = body;
  return typeof error === 'object' && error !== null && Object.keys(error).sort().join() === 'code,message,param,type';
}

/** The data of each event of a stream, in order. */
export async function eventsOf(response: Response): Promise<string[]> {
  if (response.body === null) throw new Error('The answer has no body.');
  const events: string[] = [];
  const stream = response.body.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream());
  for await (const event of stream) events.push(event.data);
  return events;
}

/** Writes bytes as they are, and reads until the server closes. */
export function rawExchange(port: number, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    let answer = '';
    socket.setEncoding('utf8').on('data', (text) => (answer += text));
    socket.once('close', () => resolve(answer));
    socket.once('error', reject);
  });
}

/** Waits, turn by turn of the event loop, until something holds. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 2));
}
