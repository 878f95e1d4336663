// Compiles a grammar to a small machine that reads bytes: instructions in typed arrays, which cross threads as they are.
// Knows nothing about how the machine is run or about tokens.
import { EngineError, assertNever } from '../../errors.ts';
import { utf8Ranges } from './char-set.ts';
import type { Grammar, GrammarNode } from './grammar.ts';

/** What an instruction does; `a` and `b` are its operands, `next` where it goes on. */
export const OP = {
  /** Reads one byte in [a, b]. */
  byte: 0,
  /** Goes on at `next`, and at `a` as well. */
  split: 1,
  /** Runs the rule at `a`, then goes on at `next`. */
  call: 2,
  /** Ends a rule. */
  return: 3,
  /** Begins a counted repeat, whose `loop` is at `a`. */
  enter: 4,
  /** Runs its body at `next` while the count is below its maximum; leaves to `a` once it has reached its minimum. */
  loop: 5,
  /** Ends one round of the repeat whose `loop` is at `a`. */
  again: 6,
} as const;

/** [instructions] each, but for `counts`: [2 × loops], minimum and maximum (-1: none) of the loop with that number in `b`. */
export interface Automaton {
  readonly op: Uint8Array;
  readonly a: Int32Array;
  readonly b: Int32Array;
  readonly next: Int32Array;
  readonly counts: Int32Array;
  readonly start: number;
}

/** Instructions of one grammar; a large JSON Schema has some tens of thousands. */
const MAX_INSTRUCTIONS = 500_000;

interface Instruction {
  readonly op: number;
  a: number;
  readonly b: number;
  readonly next: number;
}

/** @throws EngineError `grammar_too_complex` for a grammar that is too large */
export function compileAutomaton(grammar: Grammar): Automaton {
  return new AutomatonWriter(grammar).write();
}

// Instructions are written from the end of a text to its beginning, so that each knows where it goes on.
class AutomatonWriter {
  readonly #grammar: Grammar;
  readonly #code: Instruction[] = [];
  readonly #counts: number[] = [];
  readonly #starts = new Map<string, number>();
  /** Calls whose rule had no place yet. */
  readonly #calls: { readonly at: number; readonly name: string }[] = [];

  constructor(grammar: Grammar) {
    this.#grammar = grammar;
  }

  write(): Automaton {
    const end = this.#add({ op: OP.return, a: 0, b: 0, next: -1 });
    const start = this.#node(this.#grammar.root, end);
    for (const [name, node] of this.#grammar.rules) this.#starts.set(name, this.#node(node, end));
    for (const { at, name } of this.#calls) {
      const instruction = this.#code[at];
      if (instruction !== undefined) instruction.a = this.#starts.get(name) ?? end;
    }
    return {
      op: Uint8Array.from(this.#code, ({ op }) => op),
      a: Int32Array.from(this.#code, ({ a }) => a),
      b: Int32Array.from(this.#code, ({ b }) => b),
      next: Int32Array.from(this.#code, ({ next }) => next),
      counts: Int32Array.from(this.#counts),
      start,
    };
  }

  #add(instruction: Instruction): number {
    if (this.#code.length >= MAX_INSTRUCTIONS)
      throw new EngineError('grammar_too_complex', `The grammar is larger than ${MAX_INSTRUCTIONS} steps.`);
    return this.#code.push(instruction) - 1;
  }

  /** Where a node begins that goes on at `next`. */
  #node(node: GrammarNode, next: number): number {
    switch (node.kind) {
      case 'text':
        return [...Buffer.from(node.text)].reduceRight((after, byte) => this.#add({ op: OP.byte, a: byte, b: byte, next: after }), next);
      case 'chars':
        return this.#choice(utf8Ranges(node.set).map((ranges) => this.#bytes(ranges, next)));
      case 'sequence':
        return node.nodes.reduceRight((after, part) => this.#node(part, after), next);
      case 'choice':
        return this.#choice(node.nodes.map((part) => this.#node(part, next)));
      case 'repeat':
        return this.#repeat(node, next);
      case 'rule': {
        const at = this.#add({ op: OP.call, a: -1, b: 0, next });
        this.#calls.push({ at, name: node.name });
        return at;
      }
      default:
        return assertNever(node);
    }
  }

  #bytes(ranges: readonly (readonly [number, number])[], next: number): number {
    return ranges.reduceRight((after, [low, high]) => this.#add({ op: OP.byte, a: low, b: high, next: after }), next);
  }

  /** A place without alternatives reads a byte that does not exist. */
  #choice(starts: readonly number[]): number {
    const [first, ...others] = starts;
    if (first === undefined) return this.#add({ op: OP.byte, a: 1, b: 0, next: 0 });
    return others.reduce((chosen, other) => this.#add({ op: OP.split, a: other, b: 0, next: chosen }), first);
  }

  #repeat({ node, min, max }: Extract<GrammarNode, { kind: 'repeat' }>, next: number): number {
    if (min === 0 && max === 1) return this.#choice([this.#node(node, next), next]);
    if (min <= 1 && max === null) return this.#star(node, next, min);
    return this.#counted({ node, min, max }, next);
  }

  #star(node: GrammarNode, next: number, min: number): number {
    const loop = this.#add({ op: OP.split, a: next, b: 0, next: -1 });
    const body = this.#node(node, loop);
    this.#replace(loop, { op: OP.split, a: next, b: 0, next: body });
    return min === 0 ? loop : body;
  }

  #counted({ node, min, max }: { node: GrammarNode; min: number; max: number | null }, next: number): number {
    const number = this.#counts.push(min, max ?? -1) / 2 - 1;
    const loop = this.#add({ op: OP.loop, a: next, b: number, next: -1 });
    const again = this.#add({ op: OP.again, a: loop, b: number, next: -1 });
    this.#replace(loop, { op: OP.loop, a: next, b: number, next: this.#node(node, again) });
    return this.#add({ op: OP.enter, a: loop, b: number, next: -1 });
  }

  #replace(at: number, instruction: Instruction): void {
    this.#code[at] = instruction;
  }
}
