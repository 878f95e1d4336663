// Owns what follows a step: choosing tokens, their text, finishing sequences, and the events that say so.
// Knows nothing about queues, slots or memory.
import { EngineError } from '../errors.ts';
import { describeLogprob } from './answer-text.ts';
import type { LogitsRow } from './decoder-session.ts';
import { decodeUtf8, type TokenText } from './detokenize.ts';
import type { FinishReason, GenerateEvent } from './protocol.ts';
import { tokenLogprob } from './sampling/logprobs.ts';
import type { Request, Sequence } from './sequence.ts';
import type { PlannedStep } from './step-request.ts';
import type { StopMatch } from './stop-strings.ts';

export interface PostprocessorOptions {
  readonly eosTokens: ReadonlySet<number>;
  readonly vocab: TokenText;
  readonly bosToken: number | null;
  /** Milliseconds. */
  readonly now: () => number;
}

/** Tells how much of a slot's KV is valid now. */
type Advance = (slot: number, length: number) => void;

interface Finish {
  readonly reason: FinishReason;
  readonly match: StopMatch | null;
}

export class Postprocessor {
  readonly #options: PostprocessorOptions;

  constructor(options: PostprocessorOptions) {
    this.#options = options;
  }

  /** Sequences that were cancelled during the step get no token and no event. */
  process(step: PlannedStep, rows: readonly LogitsRow[], advance: Advance): readonly GenerateEvent[] {
    const events: GenerateEvent[] = [];
    step.sequences.forEach((sequence, place) => {
      const slot = step.slots[place] ?? 0;
      const from = step.request.pastLengths[slot - step.request.firstSlot] ?? 0;
      if (step.kind === 'verify') return this.#verify({ step, sequence, rows, from, events }, (length) => advance(slot, length));
      advance(slot, from + step.newTokens);
      if (sequence.request.isCancelled) return;
      if (step.kind === 'decode') countStep(sequence.request, step.sequences.length);
      const row = step.kind === 'decode' ? rows[place] : this.#prompt(step, sequence, rows);
      if (row !== undefined) this.#extend(sequence, row, events);
    });
    return events;
  }

  /** Draws each position's token from its true distribution, and goes on while it is the guessed one. */
  #verify(
    part: { step: PlannedStep; sequence: Sequence; rows: readonly LogitsRow[]; from: number; events: GenerateEvent[] },
    advance: (length: number) => void,
  ): void {
    const { step, sequence, rows, from, events } = part;
    if (sequence.request.isCancelled) return advance(from);
    let made = 0;
    for (const row of rows) {
      this.#extend(sequence, row, events);
      const guess = step.draft[made++];
      if (sequence.isFinished || sequence.request.failure !== null || sequence.tokens.at(sequence.tokens.length - 1) !== guess) break;
    }
    countStep(sequence.request, 1);
    sequence.request.draftedTokens += step.draft.length;
    sequence.request.acceptedTokens += made - 1;
    advance(from + made);
  }

  /** The row that the next token is drawn from, once the whole prompt is computed. */
  #prompt(step: PlannedStep, sequence: Sequence, rows: readonly LogitsRow[]): LogitsRow | undefined {
    const from = step.request.pastLengths[0] ?? 0;
    if (sequence.owesPromptLogprobs) collectPromptLogprobs(sequence.request, rows, from);
    return from + step.newTokens === sequence.tokens.length ? rows.at(-1) : undefined;
  }

  #extend(sequence: Sequence, row: LogitsRow, events: GenerateEvent[]): void {
    const { request } = sequence;
    if (!request.hasStarted) events.push(this.#start(request));
    if (sequence.remaining <= 0) return this.#finish(sequence, { reason: 'length', match: null }, events);
    const token = this.#choose(sequence, row);
    if (token === null) return;
    sequence.tokens.push(token);
    request.completionTokens++;
    const isEnd = this.#options.eosTokens.has(token) && (!request.params.ignoreEos || sequence.grammar !== null);
    const finish = isEnd ? ({ reason: 'stop', match: null } as const) : this.#say(sequence, token, row);
    if (finish !== null) return this.#finish(sequence, finish, events);
    const piece = sequence.answer.take();
    if (piece !== null) events.push({ kind: 'text', id: request.id, choice: sequence.choice, ...piece });
  }

  /** The next token; null when none can be had, which ends this request alone. */
  #choose({ sampler, grammar, request }: Sequence, row: LogitsRow): number | null {
    if (request.failure !== null) return null;
    try {
      const token = sampler.next(row, grammar);
      grammar?.accept(token);
      return token;
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      request.failure = error;
      return null;
    }
  }

  /** Adds a token to the answer's text; how that ends the answer, or null. */
  #say(sequence: Sequence, token: number, row: LogitsRow): Finish | null {
    const { topLogprobs } = sequence.request.params;
    const match = sequence.answer.push(token, topLogprobs === null ? null : tokenLogprob(row, token, topLogprobs));
    if (match !== null || sequence.grammar?.isComplete === true) return { reason: 'stop', match };
    return sequence.remaining <= 0 ? { reason: 'length', match: null } : null;
  }

  #start(request: Request): GenerateEvent {
    request.milestones.startedMs = this.#options.now();
    const { id, promptTokens, cachedTokens } = request;
    const counts = { kind: 'started', id, promptTokens: promptTokens.length, cachedTokens } as const;
    if (!request.wantsPromptLogprobs) return { ...counts, promptLogprobs: null };
    const promptLogprobs = request.promptLogprobs.map((entry) => (entry === null ? null : describeLogprob(this.#options.vocab, entry)));
    return { ...counts, promptLogprobs, promptText: this.#promptText(promptTokens) };
  }

  /** What was asked for as text: without the mark that the tokenizer puts before every text, but with marks the text itself has. */
  #promptText(tokens: Int32Array): string {
    const { vocab, bosToken } = this.#options;
    const own = tokens[0] === bosToken ? tokens.subarray(1) : tokens;
    return decodeUtf8(Buffer.concat(Array.from(own, (token) => vocab.bytesOf(token))));
  }

  #finish(sequence: Sequence, { reason, match }: Finish, events: GenerateEvent[]): void {
    const { request, choice } = sequence;
    sequence.isFinished = true;
    const piece = sequence.answer.finish(match, { dropsCut: sequence.grammar !== null });
    if (piece !== null) events.push({ kind: 'text', id: request.id, choice, ...piece });
    events.push({ kind: 'finish', id: request.id, choice, reason, stopString: match?.stop ?? null });
    if (request.isDone)
      events.push({ kind: 'done', id: request.id, usage: request.usage(), timings: request.timings(this.#options.now()) });
  }
}

function countStep(request: Request, batch: number): void {
  request.decodeSteps++;
  request.batchSum += batch;
}

/** Position p's row says how likely token p + 1 was. A preempted prompt starts again from 0. */
function collectPromptLogprobs(request: Request, rows: readonly LogitsRow[], from: number): void {
  const topCount = request.params.topLogprobs ?? 0;
  request.promptLogprobs.length = from + 1;
  rows.forEach((row, place) => {
    const next = request.promptTokens[from + place + 1];
    if (next !== undefined) request.promptLogprobs.push(tokenLogprob(row, next, topCount));
  });
}
