// Asks the engine for one answer and yields its parts as they arrive. Knows the API, nothing about the page.
import { EventSourceParserStream } from 'eventsource-parser/stream';
import type { AnswerPart, AnswerRoute, Fault } from './answer.ts';
import { isRoute } from './choose-models.ts';
import type { ChatMessage } from './messages.ts';
import { toWire, type Sampling } from './sampling.ts';

export interface ChatQuestion {
  readonly model: string;
  readonly messages: readonly ChatMessage[];
  readonly sampling: Sampling;
}

/** The answer failed, or ended before it was whole. */
export class ChatError extends Error {
  readonly fault: Fault;

  constructor(fault: Fault, cause?: unknown) {
    super(fault.message, { cause });
    this.fault = fault;
  }
}

interface WireError {
  readonly message: string;
  readonly code?: string | null;
}

interface Frame {
  readonly error?: WireError;
  readonly model?: string;
  readonly choices?: readonly { readonly delta: { readonly content?: string | null }; readonly finish_reason: string | null }[];
  readonly usage?: { readonly prompt_tokens: number; readonly completion_tokens: number } | null;
}

/** @throws ChatError, or what the signal's abort gives */
export async function* streamChat(question: ChatQuestion, signal: AbortSignal): AsyncGenerator<AnswerPart> {
  const response = await post(question, signal);
  if (!response.ok || response.body === null) throw await refusal(response);
  yield { kind: 'begun', requestId: response.headers.get('x-request-id'), ...routeOf(question.model, response.headers) };
  const events = response.body.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream());
  const reader = events.getReader();
  for (let next = await read(reader, signal); !next.done; next = await read(reader, signal)) {
    if (next.value.data === '[DONE]') return;
    yield* readFrame(JSON.parse(next.value.data));
  }
  throw new ChatError({ ...UNREACHED, message: 'The answer was cut off before it was complete.' });
}

/** Nothing for a model that was named. */
function routeOf(model: string, headers: Headers): { readonly route?: AnswerRoute } {
  const reason = headers.get('x-millrace-route');
  if (reason === null || !isRoute(model)) return {};
  return { route: { reason, degraded: headers.get('x-millrace-degraded') === 'true' } };
}

const UNREACHED = { code: null, status: null, retryAfterSeconds: null };

async function post({ model, messages, sampling }: ChatQuestion, signal: AbortSignal): Promise<Response> {
  const body = JSON.stringify({ model, messages, ...toWire(sampling), stream: true, stream_options: { include_usage: true } });
  const headers = { 'content-type': 'application/json' };
  return unlessAborted(fetch('/v1/chat/completions', { method: 'POST', headers, body, signal }), signal, 'The engine does not answer.');
}

const read = <T>(reader: ReadableStreamDefaultReader<T>, signal: AbortSignal) =>
  unlessAborted(reader.read(), signal, 'The connection broke in the middle of the answer.');

/** The browser's own words for a lost connection say little; an abort is passed on as it is. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal, message: string): Promise<T> {
  return work.catch((cause: unknown) => {
    throw signal.aborted ? cause : new ChatError({ ...UNREACHED, message }, cause);
  });
}

function* readFrame(frame: Frame): Generator<AnswerPart> {
  if (frame.error !== undefined) {
    throw new ChatError({ ...UNREACHED, message: frame.error.message, code: frame.error.code ?? null });
  }
  const choice = frame.choices?.[0];
  if (choice?.delta.content) yield { kind: 'text', text: choice.delta.content, model: frame.model ?? null };
  if (choice?.finish_reason) yield { kind: 'finish', reason: choice.finish_reason };
  if (!frame.usage) return;
  yield { kind: 'usage', promptTokens: frame.usage.prompt_tokens, completionTokens: frame.usage.completion_tokens };
}

async function refusal(response: Response): Promise<ChatError> {
  const body: Frame = await response.json().catch(() => ({}));
  const wait = Number(response.headers.get('retry-after') ?? Number.NaN);
  return new ChatError({
    message: body.error?.message ?? `The engine answered ${response.status} ${response.statusText}.`,
    code: body.error?.code ?? null,
    status: response.status,
    retryAfterSeconds: Number.isFinite(wait) ? wait : null,
  });
}
