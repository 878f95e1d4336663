// Owns the texts that wait for a batch, and the fair order among callers: whoever has been served the fewest tokens goes next.
// Knows nothing about time or about the device.
import { bug } from '../../errors.ts';
import type { EncoderText } from './encoder-session.ts';
import type { PlannedText } from './plan-batch.ts';

export interface WaitingText extends EncoderText, PlannedText {
  /** Of the request, and the place among its inputs. */
  readonly id: number;
  readonly input: number;
  readonly caller: string;
}

interface Flow {
  readonly caller: string;
  /** Tokens served, on the clock that all callers share. */
  served: number;
  texts: WaitingText[];
}

/** NOTE: start-time fair queueing (Goyal, Vin and Cheng 1996) with tokens as work: a caller that comes anew starts at the present of the
 *  shared clock, so that it neither is owed anything for its absence nor has to wait for those who were served before. */
export class TextQueue {
  readonly #flows = new Map<string, Flow>();
  #clock = 0;
  #count = 0;

  get count(): number {
    return this.#count;
  }

  add(texts: readonly WaitingText[]): void {
    for (const text of texts) {
      const flow = this.#flows.get(text.caller) ?? { caller: text.caller, served: this.#clock, texts: [] };
      if (flow.texts.length === 0) flow.served = Math.max(flow.served, this.#clock);
      flow.texts.push(text);
      this.#flows.set(text.caller, flow);
    }
    this.#count += texts.length;
  }

  /** The next texts in order, at most `limit`; they stay. */
  peek(limit: number): readonly WaitingText[] {
    const order = new FairOrder([...this.#flows.values()]);
    return Array.from({ length: Math.min(limit, this.#count) }, () => order.next().text);
  }

  /** Removes the first `count` of what `peek` shows. */
  take(count: number): readonly WaitingText[] {
    const order = new FairOrder([...this.#flows.values()]);
    const taken = Array.from({ length: Math.min(count, this.#count) }, () => {
      const { text, start } = order.next();
      this.#clock = Math.max(this.#clock, start);
      return text;
    });
    for (const { flow, next, served } of order.cursors) {
      flow.served = served;
      flow.texts = flow.texts.slice(next);
    }
    this.#count -= taken.length;
    this.#forgetServed();
    return taken;
  }

  /** Removes the texts of these requests. */
  drop(ids: ReadonlySet<number>): void {
    for (const flow of this.#flows.values()) flow.texts = flow.texts.filter((text) => !ids.has(text.id));
    this.#count = [...this.#flows.values()].reduce((total, flow) => total + flow.texts.length, 0);
    this.#forgetServed();
  }

  /** A caller without texts is remembered as long as it is ahead of the others. */
  #forgetServed(): void {
    if (this.#count === 0) this.#flows.clear();
    for (const [caller, { texts, served }] of this.#flows) if (texts.length === 0 && served <= this.#clock) this.#flows.delete(caller);
  }
}

/** Walks the flows in fair order without changing them. Ties go to whoever came first. */
class FairOrder {
  readonly cursors: { readonly flow: Flow; next: number; served: number }[];

  constructor(flows: readonly Flow[]) {
    this.cursors = flows.map((flow) => ({ flow, next: 0, served: flow.served }));
  }

  /** The next text and the shared clock's time at which it is served. Only while texts are left. */
  next(): { readonly text: WaitingText; readonly start: number } {
    let chosen: (typeof this.cursors)[number] | undefined;
    for (const cursor of this.cursors) {
      if (cursor.next < cursor.flow.texts.length && (chosen === undefined || cursor.served < chosen.served)) chosen = cursor;
    }
    const text = chosen?.flow.texts[chosen.next];
    if (chosen === undefined || text === undefined) return bug('No text is left in the queue.');
    const start = chosen.served;
    chosen.next++;
    chosen.served += text.tokenCount;
    return { text, start };
  }
}
