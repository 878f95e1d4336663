// Runs an automaton over bytes. Which places it may be in after some bytes is one configuration; configurations and the steps between
// them are kept, so that what was met once costs one look-up. Knows nothing about tokens.
import { EngineError } from '../../errors.ts';
import { OP, type Automaton } from './automaton.ts';

/** Where a rule or a repeat goes on, and what lies below it. */
interface Frame {
  readonly id: number;
  readonly parent: Frame | null;
  readonly at: number;
  /** Rounds of a repeat; -1 for a rule. */
  readonly count: number;
  children: Map<number, Frame> | null;
}

interface Place {
  /** A byte instruction. */
  readonly at: number;
  readonly frame: Frame;
}

/** Where a grammar may be after some bytes. */
export interface Configuration {
  readonly places: readonly Place[];
  /** The text so far is whole. */
  readonly accepts: boolean;
  /** By class of byte: undefined not known yet, null no way on. */
  readonly steps: (Configuration | null | undefined)[];
}

/** Places of one configuration; an ambiguous grammar has many. */
const MAX_PLACES = 256;
/** Configurations that are kept before all are forgotten. */
const MAX_KEPT = 2_000;
/** Instructions that may be followed for one question: some tens of milliseconds. */
const MAX_WORK = 400_000;
const FRAME_BITS = 2 ** 32;

export class GrammarMatcher {
  readonly #automaton: Automaton;
  readonly #root: Frame = { id: 0, parent: null, at: -1, count: -1, children: null };
  readonly #classes: Uint8Array;
  readonly #firstBytes: readonly number[];
  #known = new Map<string, Configuration>();
  #frames = 1;
  #work = 0;
  readonly start: Configuration;

  constructor(automaton: Automaton) {
    this.#automaton = automaton;
    const { classes, firstBytes } = byteClasses(automaton);
    this.#classes = classes;
    this.#firstBytes = firstBytes;
    const collected = new Collected();
    this.#follow(automaton.start, this.#root, collected);
    this.start = this.#intern(collected);
  }

  /** Begins a new question, which may take its own share of work. */
  resetWork(): void {
    this.#work = 0;
  }

  /** The configuration after one more byte; null when the grammar does not allow it. @throws EngineError `grammar_too_complex` */
  step(from: Configuration, byte: number): Configuration | null {
    const byteClass = this.#classes[byte] ?? 0;
    const known = from.steps[byteClass];
    if (known !== undefined) return known;
    const next = this.#advance(from, byte);
    from.steps[byteClass] = next;
    return next;
  }

  /** Equal for configurations that the same texts of up to `horizon` bytes may follow: what is left to count beyond makes no difference. */
  likeness({ places, accepts }: Configuration, horizon: number): string {
    const marks = places.map(({ at, frame }) => {
      let mark = String(at);
      for (let below = frame; below.parent !== null; below = below.parent) mark += this.#frameMark(below, horizon);
      return mark;
    });
    return `${accepts ? '+' : ''}${marks.sort().join(',')}`;
  }

  #frameMark({ at, count }: Frame, horizon: number): string {
    if (count < 0) return `/${at}`;
    const { min, max } = this.#limits(at);
    return `/${at}:${Math.min(Math.max(0, min - count), horizon + 1)}:${max < 0 ? '' : Math.min(max - count, horizon + 1)}`;
  }

  /** The only byte that may follow; null when there are several or none, or when the text may end here. */
  onlyByte(from: Configuration): number | null {
    if (from.accepts) return null;
    let only: number | null = null;
    for (const [byteClass, byte] of this.#firstBytes.entries()) {
      if (this.step(from, byte) === null) continue;
      const isAlone = only === null && this.#classes.indexOf(byteClass) === this.#classes.lastIndexOf(byteClass);
      if (!isAlone) return null;
      only = byte;
    }
    return only;
  }

  #advance(from: Configuration, byte: number): Configuration | null {
    const { a, b, next } = this.#automaton;
    const collected = new Collected();
    for (const { at, frame } of from.places) {
      if (byte >= (a[at] ?? 256) && byte <= (b[at] ?? -1)) this.#follow(next[at] ?? 0, frame, collected);
    }
    return collected.places.length === 0 && !collected.accepts ? null : this.#intern(collected);
  }

  /** Adds the places that are reached without a byte. */
  #follow(start: number, startFrame: Frame, collected: Collected): void {
    const pending: Place[] = [{ at: start, frame: startFrame }];
    for (let place = pending.pop(); place !== undefined; place = pending.pop()) {
      if (!collected.enter(place)) continue;
      if (++this.#work > MAX_WORK || collected.places.length > MAX_PLACES) throw tooComplex();
      this.#execute(place, pending, collected);
    }
  }

  #execute(place: Place, pending: Place[], collected: Collected): void {
    const { op, a, next } = this.#automaton;
    const { at, frame } = place;
    const [operand, after] = [a[at] ?? 0, next[at] ?? 0];
    switch (op[at]) {
      case OP.byte:
        return void collected.places.push(place);
      case OP.split:
        return void pending.push({ at: operand, frame }, { at: after, frame });
      case OP.call:
        // A call at a rule's end leaves nothing to come back to: lists that are written as right recursion stay flat.
        return void pending.push({ at: operand, frame: op[after] === OP.return ? frame : this.#push(frame, after, -1) });
      case OP.return:
        if (frame.parent === null) collected.accepts = true;
        else pending.push({ at: frame.at, frame: frame.parent });
        return;
      case OP.enter:
        return void pending.push({ at: operand, frame: this.#push(frame, operand, 0) });
      case OP.loop:
        return this.#loop(place, pending);
      default:
        // OP.again
        return void pending.push({ at: operand, frame: this.#countUp(place) });
    }
  }

  #loop({ at, frame }: Place, pending: Place[]): void {
    const { a, next } = this.#automaton;
    const { min, max } = this.#limits(at);
    if (max < 0 || frame.count < max) pending.push({ at: next[at] ?? 0, frame });
    if (frame.count >= min && frame.parent !== null) pending.push({ at: a[at] ?? 0, frame: frame.parent });
  }

  /** Without a maximum, rounds beyond the minimum need no counting. */
  #countUp({ at, frame }: Place): Frame {
    const { min, max } = this.#limits(at);
    const count = max < 0 ? Math.min(frame.count + 1, min) : frame.count + 1;
    return this.#push(frame.parent ?? this.#root, frame.at, count);
  }

  #limits(at: number): { min: number; max: number } {
    const { b, counts } = this.#automaton;
    const number = b[at] ?? 0;
    return { min: counts[number * 2] ?? 0, max: counts[number * 2 + 1] ?? -1 };
  }

  /** The same frame for the same place, so that frames can be compared by their id. */
  #push(parent: Frame, at: number, count: number): Frame {
    const key = at * FRAME_BITS + count + 1;
    parent.children ??= new Map();
    const known = parent.children.get(key);
    if (known !== undefined) return known;
    const frame = { id: this.#frames++, parent, at, count, children: null };
    parent.children.set(key, frame);
    return frame;
  }

  #intern({ places, accepts }: Collected): Configuration {
    const key = places
      .map(({ at, frame }) => `${at}.${frame.id}`)
      .sort()
      .join(accepts ? ' ' : ',');
    const name = `${accepts ? '+' : ''}${key}`;
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    if (this.#known.size >= MAX_KEPT) this.#forget();
    const configuration = { places, accepts, steps: new Array<undefined>(this.#firstBytes.length) };
    this.#known.set(name, configuration);
    return configuration;
  }

  /** Those still in use stay valid; they only are found no more. */
  #forget(): void {
    this.#known = new Map();
    this.#root.children = null;
    this.start?.steps.fill(undefined);
  }
}

/** What one step leads to. */
class Collected {
  readonly places: Place[] = [];
  accepts = false;
  readonly #seen = new Set<number>();

  /** False when the place has been entered before. */
  enter({ at, frame }: Place): boolean {
    const key = frame.id * FRAME_BITS + at;
    if (this.#seen.has(key)) return false;
    this.#seen.add(key);
    return true;
  }
}

function tooComplex(): EngineError {
  return new EngineError('grammar_too_complex', 'The grammar is too ambiguous: too many readings of the answer so far are open.');
}

/** Bytes that no instruction tells apart share a class. */
function byteClasses({ op, a, b }: Automaton): { classes: Uint8Array; firstBytes: readonly number[] } {
  const borders = new Uint8Array(257);
  op.forEach((code, at) => {
    if (code !== OP.byte) return;
    borders[a[at] ?? 0] = 1;
    borders[(b[at] ?? 0) + 1] = 1;
  });
  const classes = new Uint8Array(256);
  const firstBytes = [0];
  for (let byte = 1; byte < 256; byte++) {
    if (borders[byte] === 1) firstBytes.push(byte);
    classes[byte] = firstBytes.length - 1;
  }
  return { classes, firstBytes };
}
