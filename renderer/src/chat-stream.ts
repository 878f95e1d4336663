// Asks the engine for one answer and yields its parts as they arrive. Knows the API, nothing about the page.
import { EventSourceParserStream } from 'eventsource-parser/stream';

export interface ChatMessage {
  readonly role: 'user' | 'assistant';
  readonly content: string;
}

export type ChatPart =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'finish'; readonly reason: string }
  | { readonly kind: 'usage'; readonly completionTokens: number };

/** At the API's own default of 1 small models wander off; their model cards recommend 0.2 to 0.7. */
const TEMPERATURE = 0.3;

interface Frame {
  readonly error?: { readonly message: string };
  readonly choices?: readonly { readonly delta: { readonly content?: string }; readonly finish_reason: string | null }[];
  readonly usage?: { readonly completion_tokens: number } | null;
}

/** @throws Error whose message is the engine's own, or the browser's when it cannot be reached */
export async function* streamChat(model: string, messages: readonly ChatMessage[], signal: AbortSignal): AsyncGenerator<ChatPart> {
  const body = JSON.stringify({ model, messages, temperature: TEMPERATURE, stream: true, stream_options: { include_usage: true } });
  const response = await fetch('/v1/chat/completions', { method: 'POST', headers: { 'content-type': 'application/json' }, body, signal });
  if (!response.ok || response.body === null) throw new Error(await errorMessage(response));
  const events = response.body.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream());
  const reader = events.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    if (next.value.data === '[DONE]') return;
    yield* readFrame(JSON.parse(next.value.data));
  }
  throw new Error('The answer ended before it was complete.');
}

function* readFrame(frame: Frame): Generator<ChatPart> {
  if (frame.error !== undefined) throw new Error(frame.error.message);
  const choice = frame.choices?.[0];
  if (choice?.delta.content) yield { kind: 'text', text: choice.delta.content };
  if (choice?.finish_reason) yield { kind: 'finish', reason: choice.finish_reason };
  if (frame.usage) yield { kind: 'usage', completionTokens: frame.usage.completion_tokens };
}

async function errorMessage(response: Response): Promise<string> {
  const body: Frame = await response.json().catch(() => ({}));
  return body.error?.message ?? `The engine answered ${response.status} ${response.statusText}.`;
}
