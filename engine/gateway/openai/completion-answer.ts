// The answers of `/v1/completions`, as a stream of chunks and as one object; owns the places of choices over several prompts.
// Pure; knows nothing about HTTP.
import type { FinishReason, GenerateEvent, PromptInput, TokenLogprob, Usage } from '../../runner/protocol.ts';
import { usageBody, type AnswerHead } from './answer-head.ts';
import type { JsonFormat, StreamFormat } from './answer-format.ts';
import { ChunkWriter } from './chunk-writer.ts';

export interface CompletionShape {
  readonly head: AnswerHead;
  readonly prompts: readonly PromptInput[];
  /** Answers to each prompt that are returned; prompt p's answers are the choices p·n to p·n + n − 1. */
  readonly n: number;
  /** Answers to each prompt that are made. */
  readonly bestOf: number;
  /** Alternatives asked for; null: no log-probabilities in the answer. */
  readonly logprobs: number | null;
  readonly echo: boolean;
  readonly includeUsage: boolean;
}

/** OpenAI's older shape of log-probabilities: parallel lists. */
interface LogprobLists {
  readonly tokens: string[];
  readonly token_logprobs: (number | null)[];
  readonly top_logprobs: (Record<string, number> | null)[];
  readonly text_offset: number[];
}

/** One answer so far. */
class Choice {
  text = '';
  reason: FinishReason | null = null;
  /** Of the answer's own tokens. */
  readonly own: TokenLogprob[] = [];
  /** Characters of the text that all tokens so far stand for. */
  #offset = 0;

  /** Lists for more tokens; null entries are prompt tokens that nothing predicts. */
  take(entries: readonly (TokenLogprob | null)[], firstText = ''): LogprobLists {
    const lists: LogprobLists = { tokens: [], token_logprobs: [], top_logprobs: [], text_offset: [] };
    for (const entry of entries) {
      const text = entry?.text ?? firstText;
      lists.tokens.push(text);
      lists.token_logprobs.push(entry?.logprob ?? null);
      lists.top_logprobs.push(entry === null ? null : topOf(entry));
      lists.text_offset.push(this.#offset);
      this.#offset += text.length;
    }
    return lists;
  }
}

/** The alternatives with the chosen token among them. */
function topOf(entry: TokenLogprob): Record<string, number> {
  return Object.fromEntries([...entry.top.map(({ text, logprob }) => [text, logprob]), [entry.text, entry.logprob]]);
}

type Started = Extract<GenerateEvent, { kind: 'started' }>;

interface Echo {
  readonly text: string;
  readonly lists: LogprobLists | null;
}

function echoOf(shape: CompletionShape, prompt: number, event: Started, choice: Choice): Echo {
  const input = shape.prompts[prompt];
  const text = input?.kind === 'text' ? input.text : (event.promptText ?? '');
  if (shape.logprobs === null || event.promptLogprobs === null) return { text, lists: null };
  const known = event.promptLogprobs.reduce((length, entry) => length + (entry?.text.length ?? 0), 0);
  return { text, lists: choice.take(event.promptLogprobs, text.slice(0, Math.max(0, text.length - known))) };
}

export class CompletionStream implements StreamFormat {
  readonly #shape: CompletionShape;
  readonly #writer: ChunkWriter;
  readonly #choices = new Map<number, Choice>();
  readonly #spoken = new Set<number>();

  constructor(shape: CompletionShape) {
    this.#shape = shape;
    this.#writer = new ChunkWriter(shape.head, 'text_completion', shape.includeUsage);
  }

  frames(prompt: number, event: GenerateEvent): string {
    const first = prompt * this.#shape.n;
    if (event.kind === 'started') return this.#started(first, prompt, event);
    const frames = this.#said(first, event);
    if (frames !== '') this.#spoken.add(prompt);
    return frames;
  }

  mayRestart(prompt: number): boolean {
    return !this.#spoken.has(prompt);
  }

  tail(usage: Usage): string {
    return this.#writer.tail(this.#shape.includeUsage ? usage : null);
  }

  #said(first: number, event: GenerateEvent): string {
    if (event.kind === 'text') return this.#text(first + event.choice, event.text, event.logprobs ?? []);
    return event.kind === 'finish' ? this.#frame(first + event.choice, '', null, event.reason) : '';
  }

  /** The echo, or an empty text so that the client sees the stream begin. */
  #started(first: number, prompt: number, event: Started): string {
    const indices = Array.from({ length: this.#shape.n }, (_, choice) => first + choice);
    return indices.map((index) => this.#startedChoice(index, prompt, event)).join('');
  }

  #startedChoice(index: number, prompt: number, event: Started): string {
    if (this.#choices.has(index)) return '';
    const choice = new Choice();
    this.#choices.set(index, choice);
    const echo = this.#shape.echo ? echoOf(this.#shape, prompt, event, choice) : { text: '', lists: null };
    return this.#frame(index, echo.text, echo.lists, null);
  }

  #text(index: number, text: string, logprobs: readonly TokenLogprob[]): string {
    const asked = this.#shape.logprobs !== null && logprobs.length > 0;
    if (text === '' && !asked) return '';
    return this.#frame(index, text, asked ? (this.#choices.get(index)?.take(logprobs) ?? null) : null, null);
  }

  #frame(index: number, text: string, lists: LogprobLists | null, reason: FinishReason | null): string {
    const logprobs = lists === null ? 'null' : JSON.stringify(lists);
    return this.#writer.frame(
      `{"index":${index},"text":${JSON.stringify(text)},"logprobs":${logprobs},"finish_reason":${JSON.stringify(reason)}}`,
    );
  }
}

export class CompletionJson implements JsonFormat {
  readonly #shape: CompletionShape;
  readonly #choices: Choice[][];
  readonly #started: (Started | null)[];

  constructor(shape: CompletionShape) {
    this.#shape = shape;
    this.#choices = shape.prompts.map(() => emptyChoices(shape.bestOf));
    this.#started = shape.prompts.map(() => null);
  }

  add(prompt: number, event: GenerateEvent): void {
    if (event.kind === 'started') this.#begin(prompt, event);
    if (event.kind !== 'text' && event.kind !== 'finish') return;
    const choice = this.#choices[prompt]?.[event.choice];
    if (choice === undefined) return;
    if (event.kind === 'finish') choice.reason = event.reason;
    else {
      choice.text += event.text;
      for (const entry of event.logprobs ?? []) choice.own.push(entry);
    }
  }

  body(usage: Usage): unknown {
    const { id, created, model, system_fingerprint } = this.#shape.head;
    const choices = this.#choices.flatMap((made, prompt) => chooseBest(made, this.#shape.n).map((choice) => this.#choice(prompt, choice)));
    const numbered = choices.map((choice, index) => ({ index, ...choice }));
    return { id, object: 'text_completion', created, model, system_fingerprint, choices: numbered, usage: usageBody(usage) };
  }

  #begin(prompt: number, event: Started): void {
    this.#started[prompt] = event;
    this.#choices[prompt] = emptyChoices(this.#shape.bestOf);
  }

  #choice(prompt: number, choice: Choice): object {
    const started = this.#started[prompt] ?? null;
    const echo = this.#shape.echo && started !== null ? echoOf(this.#shape, prompt, started, choice) : { text: '', lists: null };
    const own = this.#shape.logprobs === null ? null : choice.take(choice.own);
    return { text: echo.text + choice.text, logprobs: own === null ? null : joined(echo.lists, own), finish_reason: choice.reason };
  }
}

const emptyChoices = (count: number): Choice[] => Array.from({ length: count }, () => new Choice());

/** The `n` answers with the highest mean log-probability of a token, best first; all in their order when there is no choice. */
function chooseBest(made: readonly Choice[], n: number): readonly Choice[] {
  if (made.length <= n) return made;
  return [...made].sort((a, b) => meanLogprob(b) - meanLogprob(a)).slice(0, n);
}

function meanLogprob(choice: Choice): number {
  return choice.own.length === 0 ? 0 : choice.own.reduce((total, entry) => total + entry.logprob, 0) / choice.own.length;
}

function joined(before: LogprobLists | null, after: LogprobLists): LogprobLists {
  if (before === null) return after;
  return {
    tokens: [...before.tokens, ...after.tokens],
    token_logprobs: [...before.token_logprobs, ...after.token_logprobs],
    top_logprobs: [...before.top_logprobs, ...after.top_logprobs],
    text_offset: [...before.text_offset, ...after.text_offset],
  };
}
