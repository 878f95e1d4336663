// One streamed chat over the network, watched from outside: what came, in which order, and how it ended.
import { createParser } from 'eventsource-parser';
import { MODEL } from '../served.ts';

export type Ending =
  /** `[DONE]` came. */
  | { readonly kind: 'done' }
  /** An error, as a frame of the stream or instead of it. */
  | { readonly kind: 'error'; readonly code: string; readonly status: number }
  /** The connection ended without either. */
  | { readonly kind: 'cut' };

export interface WatchedStream {
  /** Resolves with the first text; never when there is none. */
  readonly firstText: Promise<void>;
  readonly ended: Promise<Ending>;
  /** Texts received so far. */
  texts(): number;
  /** Drops the connection, as a client that vanishes does. */
  vanish(): void;
}

export interface ChatRequest {
  readonly prompt: string;
  readonly maxTokens: number;
}

/** The body of a greedy chat that runs to its token limit. */
export function chatBody({ prompt, maxTokens }: ChatRequest, stream: boolean): string {
  return JSON.stringify({
    model: MODEL,
    messages: [{ role: 'user', content: prompt }],
    max_tokens: maxTokens,
    temperature: 0,
    ignore_eos: true,
    stream,
  });
}

export const postChat = (url: string, body: string, signal: AbortSignal | null = null): Promise<Response> =>
  fetch(`${url}/v1/chat/completions`, { method: 'POST', headers: { 'content-type': 'application/json' }, body, signal });

export function openStream(url: string, request: ChatRequest): WatchedStream {
  const controller = new AbortController();
  const first = Promise.withResolvers<void>();
  let texts = 0;
  const onText = (): void => {
    texts += 1;
    first.resolve();
  };
  const ended = readStream(postChat(url, chatBody(request, true), controller.signal), onText);
  return { firstText: first.promise, ended, texts: () => texts, vanish: () => controller.abort() };
}

async function readStream(pending: Promise<Response>, onText: () => void): Promise<Ending> {
  let ending: Ending = { kind: 'cut' };
  const response = await pending.catch(() => null);
  if (response === null) return ending;
  if (!response.ok) return { kind: 'error', code: errorCode(await response.json()), status: response.status };
  const parser = createParser({
    onEvent: ({ data }) => {
      if (data === '[DONE]') ending = { kind: 'done' };
      else if ('error' in (JSON.parse(data) as object))
        ending = { kind: 'error', code: errorCode(JSON.parse(data)), status: response.status };
      else if (hasText(JSON.parse(data))) onText();
    },
  });
  const decoder = new TextDecoder();
  try {
    for await (const bytes of response.body ?? []) parser.feed(decoder.decode(bytes, { stream: true }));
  } catch {
    // A cut connection is one of the endings.
  }
  return ending;
}

function errorCode(body: unknown): string {
  return (body as { error?: { code?: string } }).error?.code ?? 'no code';
}

function hasText(event: unknown): boolean {
  return Boolean((event as { choices?: { delta?: { content?: string } }[] }).choices?.[0]?.delta?.content);
}
