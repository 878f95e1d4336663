// The answers of `/v1/responses`, as a stream of events and as one object. Each tells its last object to whoever keeps it.
// Pure; knows nothing about HTTP or about storage.
import type { EngineError } from '../../errors.ts';
import type { FinishReason, GenerateEvent, TokenLogprob, Usage } from '../../runner/protocol.ts';
import type { JsonFormat, StreamFormat } from '../openai/answer-format.ts';
import {
  logprobsBody,
  messageItem,
  responseObject,
  statusOf,
  textPart,
  type ResponseHead,
  type ResponseStatus,
} from './response-object.ts';

export interface ResponseEnding {
  readonly now: () => number;
  /** Gets the response object once, when its answer has ended or failed. */
  readonly onLast: (response: object) => void;
}

export class ResponseJson implements JsonFormat {
  readonly #head: ResponseHead;
  readonly #ending: ResponseEnding;
  #text = '';
  #logprobs: TokenLogprob[] = [];
  #reason: FinishReason = 'stop';
  #started = false;
  #ended: object | null = null;

  constructor(head: ResponseHead, ending: ResponseEnding) {
    this.#head = head;
    this.#ending = ending;
  }

  add(_prompt: number, event: GenerateEvent): void {
    if (event.kind === 'started') [this.#text, this.#logprobs, this.#started] = ['', [], true];
    else if (event.kind === 'text') {
      this.#text += event.text;
      for (const logprob of event.logprobs ?? []) this.#logprobs.push(logprob);
    } else if (event.kind === 'finish') this.#reason = event.reason;
  }

  body(usage: Usage): object {
    return this.#last({ status: statusOf(this.#reason), output: [this.#message(this.#reason)], usage, completedMs: this.#ending.now() });
  }

  /** The object of an answer that failed, or was cancelled; what was made of it is not told. */
  ended(status: 'failed' | 'cancelled', error?: EngineError): object {
    return this.#last({ status, output: [], ...(error && { error }) });
  }

  /** The object as it is now. */
  now(): object {
    return this.#ended ?? responseObject(this.#head, { status: this.#started ? 'in_progress' : 'queued', output: [] });
  }

  #message(reason: FinishReason): object {
    const logprobs = this.#head.logprobs ? logprobsBody(this.#logprobs) : [];
    return messageItem(this.#head.messageId, [textPart(this.#text, logprobs)], reason);
  }

  #last(state: Parameters<typeof responseObject>[1]): object {
    this.#ended = responseObject(this.#head, state);
    this.#ending.onLast(this.#ended);
    return this.#ended;
  }
}

export class ResponseStream implements StreamFormat {
  readonly #head: ResponseHead;
  readonly #ending: ResponseEnding;
  /** The start of every event of the text, up to what differs. */
  readonly #place: object;
  #sequence = 0;
  #begun = false;
  #spoken = false;
  #text = '';
  readonly #logprobs: object[] = [];
  #reason: FinishReason = 'stop';

  constructor(head: ResponseHead, ending: ResponseEnding) {
    this.#head = head;
    this.#ending = ending;
    this.#place = { item_id: head.messageId, output_index: 0, content_index: 0 };
  }

  frames(_prompt: number, event: GenerateEvent): string {
    switch (event.kind) {
      case 'started':
        return this.#begin();
      case 'text':
        return this.#delta(event.text, event.logprobs ?? []);
      case 'finish':
        this.#reason = event.reason;
        return this.#open();
      default:
        return '';
    }
  }

  mayRestart(): boolean {
    return !this.#spoken;
  }

  tail(usage: Usage): string {
    const part = textPart(this.#text, this.#logprobs);
    const item = messageItem(this.#head.messageId, [part], this.#reason);
    const status = statusOf(this.#reason);
    const response = responseObject(this.#head, { status, output: [item], usage, completedMs: this.#ending.now() });
    this.#ending.onLast(response);
    return [
      this.#frame('response.output_text.done', { ...this.#place, text: part.text, logprobs: part.logprobs }),
      this.#frame('response.content_part.done', { ...this.#place, part }),
      this.#frame('response.output_item.done', { output_index: 0, item }),
      this.#frame(`response.${status}`, { response }),
    ].join('');
  }

  failure(error: EngineError): string {
    const response = responseObject(this.#head, { status: 'failed', output: [], error });
    this.#ending.onLast(response);
    const { code, message, param } = error;
    return this.#begin() + this.#frame('error', { code, message, param }) + this.#frame('response.failed', { response });
  }

  #begin(): string {
    if (this.#begun) return '';
    this.#begun = true;
    const response = this.#object('in_progress');
    return this.#frame('response.created', { response }) + this.#frame('response.in_progress', { response });
  }

  /** The message begins with its first text: until then the answer may begin again. */
  #open(): string {
    if (this.#spoken) return '';
    this.#spoken = true;
    const item = messageItem(this.#head.messageId, [], null);
    return (
      this.#frame('response.output_item.added', { output_index: 0, item }) +
      this.#frame('response.content_part.added', { ...this.#place, part: textPart('', []) })
    );
  }

  #delta(text: string, tokens: readonly TokenLogprob[]): string {
    const logprobs = this.#head.logprobs ? logprobsBody(tokens) : [];
    if (text === '' && logprobs.length === 0) return '';
    this.#text += text;
    for (const entry of logprobs) this.#logprobs.push(entry);
    return this.#open() + this.#frame('response.output_text.delta', { ...this.#place, delta: text, logprobs });
  }

  #object(status: ResponseStatus): object {
    return responseObject(this.#head, { status, output: [] });
  }

  #frame(type: string, fields: object): string {
    return `event: ${type}\ndata: ${JSON.stringify({ type, sequence_number: this.#sequence++, ...fields })}\n\n`;
  }
}
