// Upstream APIs on a free port that speak the documented wire formats, and fail in the ways that real ones do.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Fault =
  | { readonly kind: 'status'; readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: unknown }
  /** After so many pieces the connection is cut. */
  | { readonly kind: 'cut'; readonly after: number }
  /** After so many pieces nothing comes any more. */
  | { readonly kind: 'hang'; readonly after: number }
  /** After so many pieces comes an event that is none. */
  | { readonly kind: 'garbage'; readonly after: number }
  /** After so many pieces comes the API's own error event. */
  | { readonly kind: 'error'; readonly after: number }
  /** The stream ends well, without a usage. */
  | { readonly kind: 'no_usage' };

export interface FakeUpstreamOptions {
  readonly api: 'openai' | 'anthropic';
  readonly pieces?: readonly string[];
  /** Of the first request, the second… null: none. The last holds for all that follow. */
  readonly faults?: readonly (Fault | null)[];
}

export interface FakeUpstream {
  /** Up to the version. */
  readonly baseUrl: string;
  readonly requests: { readonly path: string; readonly headers: IncomingMessage['headers']; readonly body: Record<string, unknown> }[];
  /** Connections that were closed by the client before the end of the answer. */
  abandoned: number;
  close(): Promise<void>;
}

export const PROMPT_TOKENS = 12;

export async function fakeUpstream({ api, pieces = ['Hel', 'lo'], faults = [] }: FakeUpstreamOptions): Promise<FakeUpstream> {
  const requests: FakeUpstream['requests'] = [];
  let abandoned = 0;
  const server = createServer((request, response) => {
    void bodyOf(request).then((body) => {
      const fault = faults[Math.min(requests.length, faults.length - 1)] ?? null;
      requests.push({ path: request.url ?? '', headers: request.headers, body });
      response.once('close', () => (abandoned += response.writableFinished ? 0 : 1));
      if (fault?.kind === 'status') return refuse(response, fault);
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      const frames = api === 'openai' ? openaiFrames(pieces, body, fault) : anthropicFrames(pieces, fault);
      return play(response, frames, fault);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    baseUrl: `http://127.0.0.1:${port}/v1`,
    requests,
    get abandoned() {
      return abandoned;
    },
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

async function bodyOf(request: IncomingMessage): Promise<Record<string, unknown>> {
  let text = '';
  for await (const part of request) text += String(part);
  return JSON.parse(text) as Record<string, unknown>;
}

function refuse(response: ServerResponse, { status, headers = {}, body }: Extract<Fault, { kind: 'status' }>): void {
  const type = status === 429 ? 'rate_limit_error' : 'server_error';
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body ?? { error: { message: `status ${status}`, type, code: null, param: null } }));
}

interface Frames {
  readonly head: readonly string[];
  readonly texts: readonly string[];
  readonly tail: readonly string[];
  readonly error: string;
}

function play(response: ServerResponse, { head, texts, tail, error }: Frames, fault: Fault | null): void {
  const after = fault !== null && 'after' in fault ? fault.after : texts.length;
  for (const frame of [...head, ...texts.slice(0, after)]) response.write(frame);
  switch (fault?.kind) {
    case 'cut':
      // What was written must leave first.
      setTimeout(() => response.destroy(), 5);
      return;
    case 'hang':
      return;
    case 'garbage':
      response.end('data: <html>502 Bad Gateway</html>\n\n');
      return;
    case 'error':
      response.end(error);
      return;
    default:
      response.end(tail.join(''));
  }
}

/** platform.openai.com/docs/api-reference/chat-streaming */
function openaiFrames(
  pieces: readonly string[],
  { model, n = 1, stream_options: options }: Record<string, unknown>,
  fault: Fault | null,
): Frames {
  const base = { id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model, system_fingerprint: 'fp_1' };
  const chunk = (fields: object): string => `data: ${JSON.stringify({ ...base, ...fields })}\n\n`;
  const choice = (index: number, delta: object, finish: string | null = null): string =>
    chunk({ choices: [{ index, delta, logprobs: null, finish_reason: finish }], usage: null });
  const choices = Array.from({ length: Number(n) }, (_, index) => index);
  const completionTokens = pieces.length * choices.length;
  const usage = { prompt_tokens: PROMPT_TOKENS, completion_tokens: completionTokens, total_tokens: PROMPT_TOKENS + completionTokens };
  const wantsUsage = (options as { include_usage?: boolean } | undefined)?.include_usage === true && fault?.kind !== 'no_usage';
  return {
    head: choices.map((index) => choice(index, { role: 'assistant', content: '', refusal: null })),
    texts: pieces.flatMap((content) => choices.map((index) => choice(index, { content }))),
    tail: [
      ...choices.map((index) => choice(index, {}, 'stop')),
      ...(wantsUsage ? [chunk({ choices: [], usage })] : []),
      'data: [DONE]\n\n',
    ],
    error: `data: ${JSON.stringify({ error: { message: 'overloaded', type: 'server_error' } })}\n\n`,
  };
}

/** docs.anthropic.com/en/api/messages-streaming */
function anthropicFrames(pieces: readonly string[], fault: Fault | null): Frames {
  const event = (type: string, fields: object = {}): string => `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
  const usage = { input_tokens: PROMPT_TOKENS - 4, cache_read_input_tokens: 4, cache_creation_input_tokens: 0, output_tokens: 1 };
  const message = {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    content: [],
    model: 'claude',
    stop_reason: null,
    stop_sequence: null,
    usage,
  };
  return {
    head: [
      event('message_start', { message }),
      event('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
      event('ping'),
    ],
    texts: pieces.map((text) => event('content_block_delta', { index: 0, delta: { type: 'text_delta', text } })),
    tail: [
      event('content_block_stop', { index: 0 }),
      event('message_delta', {
        delta: { stop_reason: 'end_turn', stop_sequence: null },
        ...(fault?.kind === 'no_usage' ? {} : { usage: { output_tokens: pieces.length } }),
      }),
      event('message_stop'),
    ],
    error: event('error', { error: { type: 'overloaded_error', message: 'Overloaded' } }),
  };
}
