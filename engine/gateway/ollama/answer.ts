// The answers of Ollama's `/api/chat` and `/api/generate`, as one JSON object a line and as a single one. Pure; times are nanoseconds.
import type { EngineError } from '../../errors.ts';
import type { FinishReason, GenerateEvent, Timings, Usage } from '../../runner/protocol.ts';
import { ollamaError } from '../error-dialect.ts';
import type { JsonFormat, StreamFormat } from '../openai/answer-format.ts';
import { NDJSON_WIRE } from '../sse.ts';

const NANOSECONDS = 1e6;

export interface OllamaShape {
  /** As the client spelled it. */
  readonly model: string;
  /** The field that holds the text: `message` of a chat, `response` of a generation. */
  readonly text: (text: string) => object;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly startedMs: number;
}

export const chatText = (content: string): object => ({ message: { role: 'assistant', content } });
export const generatedText = (response: string): object => ({ response });

/** How the answer ended, as it becomes known. */
class Ending {
  #reason: FinishReason = 'stop';
  #timings: Timings | null = null;

  take(event: GenerateEvent): void {
    if (event.kind === 'finish') this.#reason = event.reason;
    if (event.kind === 'done') this.#timings = event.timings;
  }

  last(shape: OllamaShape, text: string, usage: Usage): object {
    const { queueMs = 0, prefillMs = 0, decodeMs = 0 } = this.#timings ?? {};
    return {
      ...head(shape, text),
      done: true,
      done_reason: this.#reason,
      total_duration: ns(shape.now() - shape.startedMs),
      load_duration: ns(queueMs),
      prompt_eval_count: usage.promptTokens,
      prompt_eval_duration: ns(prefillMs),
      eval_count: usage.completionTokens,
      eval_duration: ns(decodeMs),
    };
  }
}

const ns = (ms: number): number => Math.round(ms * NANOSECONDS);

function head({ model, text, now }: OllamaShape, content: string): object {
  return { model, created_at: new Date(now()).toISOString(), ...text(content) };
}

/** The answer to a request without a prompt. */
export function loadedAnswer(shape: OllamaShape, reason: 'load' | 'unload'): object {
  return { ...head(shape, ''), done: true, done_reason: reason };
}

export class OllamaStream implements StreamFormat {
  readonly #shape: OllamaShape;
  readonly #ending = new Ending();
  #spoken = false;
  readonly wire = NDJSON_WIRE;

  constructor(shape: OllamaShape) {
    this.#shape = shape;
  }

  frames(_prompt: number, event: GenerateEvent): string {
    this.#ending.take(event);
    if (event.kind !== 'text' || event.text === '') return '';
    this.#spoken = true;
    return line({ ...head(this.#shape, event.text), done: false });
  }

  mayRestart(): boolean {
    return !this.#spoken;
  }

  tail(usage: Usage): string {
    return line(this.#ending.last(this.#shape, '', usage));
  }

  failure(error: EngineError): string {
    return line(ollamaError(error));
  }
}

export const line = (value: object): string => `${JSON.stringify(value)}\n`;

export class OllamaJson implements JsonFormat {
  readonly #shape: OllamaShape;
  readonly #ending = new Ending();
  #text = '';

  constructor(shape: OllamaShape) {
    this.#shape = shape;
  }

  add(_prompt: number, event: GenerateEvent): void {
    this.#ending.take(event);
    if (event.kind === 'started') this.#text = '';
    if (event.kind === 'text') this.#text += event.text;
  }

  body(usage: Usage): object {
    return this.#ending.last(this.#shape, this.#text, usage);
  }
}
