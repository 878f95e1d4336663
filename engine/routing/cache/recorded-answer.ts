// Owns the events of one generation so far, put together: at any time as few events as say the same.
// Knows nothing about who listens.
import type { GenerateEvent, Timings, TokenLogprob } from '../../runner/protocol.ts';

type Started = Extract<GenerateEvent, { kind: 'started' }>;
type Finish = Extract<GenerateEvent, { kind: 'finish' }>;
type Done = Extract<GenerateEvent, { kind: 'done' }>;

interface Choice {
  text: string;
  readonly tokens: number[];
  logprobs: TokenLogprob[] | null;
  finish: Finish | null;
}

export class RecordedAnswer {
  #started: Started | null = null;
  #choices = new Map<number, Choice>();
  #done: Done | null = null;

  /** `started` begins anew. */
  add(event: GenerateEvent): void {
    switch (event.kind) {
      case 'started':
        this.#started = event;
        this.#choices = new Map();
        return;
      case 'text':
        return this.#addText(event);
      case 'finish':
        this.#choice(event.choice).finish = event;
        return;
      case 'done':
        this.#done = event;
        return;
      case 'error':
        return;
    }
  }

  /** One text for each choice that has any. */
  events(): readonly GenerateEvent[] {
    const choices = [...this.#choices].flatMap(([choice, said]) => eventsOf(choice, said, this.#started?.id ?? 0));
    return [...(this.#started === null ? [] : [this.#started]), ...choices, ...(this.#done === null ? [] : [this.#done])];
  }

  #addText({ choice, text, tokens, logprobs }: Extract<GenerateEvent, { kind: 'text' }>): void {
    const said = this.#choice(choice);
    said.text += text;
    for (const token of tokens) said.tokens.push(token);
    if (logprobs === null) return;
    said.logprobs ??= [];
    for (const logprob of logprobs) said.logprobs.push(logprob);
  }

  #choice(choice: number): Choice {
    const known = this.#choices.get(choice) ?? { text: '', tokens: [], logprobs: null, finish: null };
    this.#choices.set(choice, known);
    return known;
  }
}

function eventsOf(choice: number, { text, tokens, logprobs, finish }: Choice, id: number): readonly GenerateEvent[] {
  const isSilent = text === '' && tokens.length === 0;
  // Copies: the answer goes on, and what was handed out must not.
  const said = { kind: 'text', id, choice, text, tokens: [...tokens], logprobs: logprobs === null ? null : [...logprobs] } as const;
  return [...(isSilent ? [] : [said]), ...(finish === null ? [] : [finish])];
}

const NO_TIME: Timings = { queueMs: 0, prefillMs: 0, decodeMs: 0, meanBatch: 0, draftedTokens: 0, acceptedTokens: 0, deviceMs: 0 };

/** The event as it is told to somebody for whom nothing was computed: the whole prompt was cached, and no time was used. */
export function asCached(event: GenerateEvent): GenerateEvent {
  if (event.kind === 'started') return { ...event, cachedTokens: event.promptTokens };
  if (event.kind !== 'done') return event;
  return { ...event, usage: { ...event.usage, cachedTokens: event.usage.promptTokens }, timings: NO_TIME };
}
