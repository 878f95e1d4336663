// Owns one answer that may call tools as it comes in: tells its text from its calls. Pure; knows nothing about the shape of answers.
import { randomUUID } from 'node:crypto';
import { TOOL_SYNTAX } from './tools.ts';

export type AnswerPart =
  | { readonly kind: 'content'; readonly text: string }
  | { readonly kind: 'call'; readonly call: number; readonly id: string; readonly name: string }
  | { readonly kind: 'arguments'; readonly call: number; readonly text: string };

export class CallParser {
  /** What was not told yet, as it may belong to a mark. */
  #held = '';
  #state: 'text' | 'name' | 'arguments' = 'text';
  #calls = 0;

  /** Calls whose names are known. */
  get calls(): number {
    return this.#calls;
  }

  take(text: string): readonly AnswerPart[] {
    this.#held += text;
    const parts: AnswerPart[] = [];
    for (let part = this.#next(); part !== null; part = this.#next()) if (part !== 'mark') parts.push(part);
    return parts;
  }

  /** The answer is over: the rest of its text. */
  end(): readonly AnswerPart[] {
    const text = this.#held;
    this.#held = '';
    if (this.#state === 'name' || text === '') return [];
    if (this.#state === 'arguments') return [{ kind: 'arguments', call: this.#calls - 1, text }];
    return this.#calls > 0 ? [] : [{ kind: 'content', text }];
  }

  #next(): AnswerPart | 'mark' | null {
    switch (this.#state) {
      case 'text':
        return this.#text();
      case 'name':
        return this.#name();
      case 'arguments':
        return this.#arguments();
    }
  }

  #text(): AnswerPart | 'mark' | null {
    const { begin } = TOOL_SYNTAX;
    const text = this.#upTo(begin);
    if (text === null && this.#held.startsWith(begin)) {
      this.#held = this.#held.slice(begin.length);
      this.#state = 'name';
      return 'mark';
    }
    // Between calls stand separators.
    return text === null ? null : this.#calls > 0 ? 'mark' : { kind: 'content', text };
  }

  #name(): AnswerPart | null {
    const at = this.#held.indexOf(TOOL_SYNTAX.middle);
    if (at < 0) return null;
    const name = this.#held.slice(0, at);
    this.#held = this.#held.slice(at + TOOL_SYNTAX.middle.length);
    this.#state = 'arguments';
    return { kind: 'call', call: this.#calls++, id: `call_${randomUUID().replaceAll('-', '')}`, name };
  }

  #arguments(): AnswerPart | 'mark' | null {
    // JSON holds no line feed within a string, so that the mark is never part of it.
    const { end } = TOOL_SYNTAX;
    const text = this.#upTo(end);
    if (text !== null) return { kind: 'arguments', call: this.#calls - 1, text };
    if (!this.#held.startsWith(end)) return null;
    this.#held = this.#held.slice(end.length);
    this.#state = 'text';
    return 'mark';
  }

  /** Takes what stands before the mark, or before what may become it; null: nothing. */
  #upTo(mark: string): string | null {
    const found = this.#held.indexOf(mark);
    let length = found < 0 ? this.#held.length : found;
    for (let keep = Math.min(mark.length - 1, this.#held.length); found < 0 && keep > 0; keep--) {
      if (!this.#held.endsWith(mark.slice(0, keep))) continue;
      length = this.#held.length - keep;
      break;
    }
    if (length === 0) return null;
    const text = this.#held.slice(0, length);
    this.#held = this.#held.slice(length);
    return text;
  }
}
