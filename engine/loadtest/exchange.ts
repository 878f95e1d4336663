// Owns one request of a load test: a streamed chat over a connection of its own, and when each text of its answer came.
// Knows nothing about plans or objectives.
import { request as requestHttp, type IncomingMessage } from 'node:http';
import { request as requestHttps } from 'node:https';
import { createParser } from 'eventsource-parser';

/** A server and how its caller enters. */
export interface Door {
  /** Base address, without `/v1`. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface ChatWish {
  readonly id: string;
  readonly model: string;
  readonly text: string;
  readonly answerTokens: number;
}

/** Times are of `performance.now()`. */
export interface Exchange {
  readonly sentMs: number;
  /** Null without text. */
  readonly firstMs: number | null;
  readonly endMs: number;
  /** Between one text and the next. */
  readonly gapsMs: readonly number[];
  /** 0: no answer at all. */
  readonly status: number;
  /** Why it is no answer; null: it is one. */
  readonly failure: string | null;
  readonly promptTokens: number;
  readonly completionTokens: number;
}

interface StreamEvent {
  readonly error?: { readonly message?: string; readonly code?: string | null };
  readonly usage?: { readonly prompt_tokens?: number; readonly completion_tokens?: number } | null;
  readonly choices?: readonly { readonly delta?: { readonly content?: string | null }; readonly finish_reason?: string | null }[];
}

const MOST_ERROR_BYTES = 65_536;

/** Never rejects; an abort ends it with the signal's reason as its failure. */
export function exchange(door: Door, wish: ChatWish, signal: AbortSignal): Promise<Exchange> {
  const body = Buffer.from(JSON.stringify(bodyOf(wish)));
  const url = new URL(`${door.url}/v1/chat/completions`);
  const taken = new Taken();
  return new Promise((resolve) => {
    const end = (failure: string | null): void => resolve(taken.end(failure));
    const send = url.protocol === 'https:' ? requestHttps : requestHttp;
    const headers = {
      ...door.headers,
      'content-type': 'application/json',
      'content-length': body.length,
      'cache-control': 'no-cache',
      'x-request-id': wish.id,
    };
    const request = send(url, { method: 'POST', agent: false, headers, signal }, (response) => {
      taken.status = response.statusCode ?? 0;
      listen(response, taken, () => end(signal.aborted ? reasonOf(signal) : null));
    });
    request.setNoDelay(true);
    request.once('error', (cause) => end(signal.aborted ? reasonOf(signal) : cause.message));
    request.end(body);
  });
}

/** A temperature above 0 keeps response caches out of it. */
function bodyOf({ model, text, answerTokens }: ChatWish): object {
  return {
    model,
    messages: [{ role: 'user', content: text }],
    max_tokens: answerTokens,
    ignore_eos: true,
    temperature: 0.8,
    stream: true,
    stream_options: { include_usage: true },
  };
}

function listen(response: IncomingMessage, taken: Taken, onEnd: () => void): void {
  response.setEncoding('utf8');
  response.on('data', (text: string) => taken.add(text));
  // The one event that follows every end, a cut one too.
  response.once('close', onEnd);
  response.on('error', (cause) => taken.fail(cause.message));
}

function reasonOf({ reason }: AbortSignal): string {
  return reason instanceof Error ? reason.message : String(reason);
}

/** What has arrived of an answer. */
class Taken {
  status = 0;
  readonly #sentMs = performance.now();
  #firstMs: number | null = null;
  #lastMs: number | null = null;
  readonly #gapsMs: number[] = [];
  #failure: string | null = null;
  #finished = false;
  #usage: StreamEvent['usage'] = null;
  #texts = 0;
  #refusal = '';
  readonly #parser = createParser({ onEvent: ({ data }) => this.#take(data) });

  add(text: string): void {
    if (this.status === 200) this.#parser.feed(text);
    else if (this.#refusal.length < MOST_ERROR_BYTES) this.#refusal += text;
  }

  fail(message: string): void {
    this.#failure ??= message;
  }

  end(failure: string | null): Exchange {
    return {
      sentMs: this.#sentMs,
      firstMs: this.#firstMs,
      endMs: this.#lastMs !== null && this.#finished ? this.#lastMs : performance.now(),
      gapsMs: this.#gapsMs,
      status: this.status,
      failure: failure ?? this.#fault(),
      promptTokens: this.#usage?.prompt_tokens ?? 0,
      completionTokens: this.#usage?.completion_tokens ?? this.#texts,
    };
  }

  #fault(): string | null {
    if (this.#failure !== null) return this.#failure;
    if (this.status !== 200) return messageOf(this.#refusal) ?? `The server answered ${this.status}.`;
    if (!this.#finished) return 'The answer was cut in the middle.';
    return this.#firstMs === null && (this.#usage?.completion_tokens ?? 0) === 0 ? 'The answer has no text.' : null;
  }

  #take(data: string): void {
    if (data === '[DONE]') {
      this.#finished = true;
      return;
    }
    const event = parsed(data);
    if (event === null) return this.fail('The stream holds what is no JSON.');
    if (event.error !== undefined) this.fail(event.error.message ?? 'The stream ended with an error.');
    this.#usage = event.usage ?? this.#usage;
    if ((event.choices?.[0]?.delta?.content ?? '') !== '') this.#takeText(performance.now());
  }

  #takeText(atMs: number): void {
    this.#texts++;
    this.#firstMs ??= atMs;
    if (this.#lastMs !== null) this.#gapsMs.push(atMs - this.#lastMs);
    this.#lastMs = atMs;
  }
}

function parsed(data: string): StreamEvent | null {
  try {
    return JSON.parse(data) as StreamEvent;
  } catch {
    return null;
  }
}

/** As OpenAI's API says it. */
function messageOf(body: string): string | null {
  const message = parsed(body)?.error?.message;
  return typeof message === 'string' && message !== '' ? message : null;
}
