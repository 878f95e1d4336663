// The answers of `/v1/chat/completions`, as a stream of chunks and as one object.
// Pure; knows nothing about HTTP.
import type { FinishReason, GenerateEvent, TokenLogprob, Usage } from '../../runner/protocol.ts';
import { usageBody, type AnswerHead } from './answer-head.ts';
import type { JsonFormat, StreamFormat } from './answer-format.ts';
import { CallParser, type AnswerPart } from './call-parser.ts';
import { ChunkWriter } from './chunk-writer.ts';

export interface ChatShape {
  readonly head: AnswerHead;
  readonly n: number;
  readonly logprobs: boolean;
  readonly includeUsage: boolean;
  /** The answer may call tools. */
  readonly hasTools?: boolean;
}

export class ChatStream implements StreamFormat {
  readonly #shape: ChatShape;
  readonly #writer: ChunkWriter;
  #begun = false;
  #spoken = false;
  #parsers: readonly CallParser[] = [];

  constructor(shape: ChatShape) {
    this.#shape = shape;
    this.#writer = new ChunkWriter(shape.head, 'chat.completion.chunk', shape.includeUsage);
  }

  frames(_prompt: number, event: GenerateEvent): string {
    if (event.kind === 'started') {
      this.#parsers = this.#shape.hasTools === true ? parsersFor(this.#shape.n) : [];
      return this.#roles();
    }
    const frames = this.#said(event);
    this.#spoken ||= frames !== '';
    return frames;
  }

  mayRestart(): boolean {
    return !this.#spoken;
  }

  tail(usage: Usage): string {
    return this.#writer.tail(this.#shape.includeUsage ? usage : null);
  }

  #said(event: GenerateEvent): string {
    if (event.kind === 'text') return this.#text(event.choice, event.text, event.logprobs);
    if (event.kind !== 'finish') return '';
    const parser = this.#parsers[event.choice];
    const rest = this.#parts(event.choice, parser?.end() ?? []);
    return rest + this.#choice(event.choice, '{}', 'null', JSON.stringify(reasonOf(event.reason, parser?.calls ?? 0)));
  }

  #roles(): string {
    if (this.#begun) return '';
    this.#begun = true;
    const delta = '{"role":"assistant","content":"","refusal":null}';
    return Array.from({ length: this.#shape.n }, (_, choice) => this.#choice(choice, delta, 'null', 'null')).join('');
  }

  #text(choice: number, text: string, logprobs: readonly TokenLogprob[] | null): string {
    const asked = this.#shape.logprobs && logprobs !== null && logprobs.length > 0;
    const parser = this.#parsers[choice];
    if (parser !== undefined)
      return (
        (asked ? this.#choice(choice, '{"content":""}', JSON.stringify(logprobsBody(logprobs)), 'null') : '') +
        this.#parts(choice, parser.take(text))
      );
    if (text === '' && !asked) return '';
    return this.#choice(choice, `{"content":${JSON.stringify(text)}}`, asked ? JSON.stringify(logprobsBody(logprobs)) : 'null', 'null');
  }

  #parts(choice: number, parts: readonly AnswerPart[]): string {
    return parts.map((part) => this.#choice(choice, JSON.stringify(deltaOf(part)), 'null', 'null')).join('');
  }

  #choice(index: number, delta: string, logprobs: string, finish: string): string {
    return this.#writer.frame(`{"index":${index},"delta":${delta},"logprobs":${logprobs},"finish_reason":${finish}}`);
  }
}

const parsersFor = (n: number): CallParser[] => Array.from({ length: n }, () => new CallParser());
const reasonOf = (reason: FinishReason | null, calls: number): string | null => (reason === 'stop' && calls > 0 ? 'tool_calls' : reason);

function deltaOf(part: AnswerPart): object {
  switch (part.kind) {
    case 'content':
      return { content: part.text };
    case 'call':
      return { tool_calls: [{ index: part.call, id: part.id, type: 'function', function: { name: part.name, arguments: '' } }] };
    case 'arguments':
      return { tool_calls: [{ index: part.call, function: { arguments: part.text } }] };
  }
}

/** The message of a whole answer, and whether it calls. */
function messageOf(text: string): { readonly said: object; readonly calls: number } {
  const parser = new CallParser();
  const parts = [...parser.take(text), ...parser.end()];
  const calls = parts.flatMap((part) => {
    if (part.kind !== 'call') return [];
    const texts = parts.map((other) => (other.kind === 'arguments' && other.call === part.call ? other.text : ''));
    return [{ id: part.id, type: 'function', function: { name: part.name, arguments: texts.join('') } }];
  });
  const content = parts.map((part) => (part.kind === 'content' ? part.text : '')).join('');
  if (calls.length === 0) return { said: { content }, calls: 0 };
  return { said: { content: content.trim() === '' ? null : content, tool_calls: calls }, calls: calls.length };
}

interface Choice {
  text: string;
  readonly logprobs: TokenLogprob[];
  reason: FinishReason | null;
}

export class ChatJson implements JsonFormat {
  readonly #shape: ChatShape;
  #choices: readonly Choice[];

  constructor(shape: ChatShape) {
    this.#shape = shape;
    this.#choices = emptyChoices(shape.n);
  }

  add(_prompt: number, event: GenerateEvent): void {
    if (event.kind === 'started') this.#choices = emptyChoices(this.#shape.n);
    if (event.kind !== 'text' && event.kind !== 'finish') return;
    const choice = this.#choices[event.choice];
    if (choice === undefined) return;
    if (event.kind === 'finish') choice.reason = event.reason;
    else {
      choice.text += event.text;
      for (const logprob of event.logprobs ?? []) choice.logprobs.push(logprob);
    }
  }

  body(usage: Usage): unknown {
    const { id, created, model, system_fingerprint } = this.#shape.head;
    const choices = this.#choices.map((choice, index) => {
      const { said, calls } = this.#shape.hasTools === true ? messageOf(choice.text) : { said: { content: choice.text }, calls: 0 };
      return {
        index,
        message: { role: 'assistant', ...said, refusal: null, annotations: [] },
        logprobs: this.#shape.logprobs ? logprobsBody(choice.logprobs) : null,
        finish_reason: reasonOf(choice.reason, calls),
      };
    });
    return { id, object: 'chat.completion', created, model, system_fingerprint, choices, usage: usageBody(usage) };
  }
}

const emptyChoices = (n: number): Choice[] => Array.from({ length: n }, () => ({ text: '', logprobs: [], reason: null }));

function logprobsBody(logprobs: readonly TokenLogprob[]): unknown {
  const one = ({ text, logprob, bytes }: Pick<TokenLogprob, 'text' | 'logprob' | 'bytes'>): object => ({ token: text, logprob, bytes });
  return { content: logprobs.map((entry) => ({ ...one(entry), top_logprobs: entry.top.map(one) })), refusal: null };
}
