// Writes the frames of a stream around parts that never change, so that a token costs one small JSON.stringify.
// Pure; knows nothing about what a choice holds.
import type { Usage } from '../../runner/protocol.ts';
import { usageBody, type AnswerHead } from './answer-head.ts';

export class ChunkWriter {
  readonly #before: string;
  readonly #after: string;

  /** `object` is OpenAI's type of the chunks. With usage asked for, each chunk but the last says `"usage":null`. */
  constructor(head: AnswerHead, object: string, includeUsage: boolean) {
    const { id, created, model, system_fingerprint } = head;
    this.#before = `data: ${JSON.stringify({ id, object, created, model, system_fingerprint }).slice(0, -1)},"choices":[`;
    this.#after = includeUsage ? '],"usage":null}\n\n' : ']}\n\n';
  }

  /** One frame with one choice, given as JSON. */
  frame(choice: string): string {
    return this.#before + choice + this.#after;
  }

  /** The usage frame with empty choices, where it was asked for, and the end mark. */
  tail(usage: Usage | null): string {
    const frame = usage === null ? '' : `${this.#before}],"usage":${JSON.stringify(usageBody(usage))}}\n\n`;
    return `${frame}data: [DONE]\n\n`;
  }
}
