// Judges a grammar before it is compiled: rules that are missing, that have no end, or that begin with themselves; lengths of what
// it matches. Pure.
import { sizeOf } from './char-set.ts';
import { EMPTY, NOTHING, partsOf, type Grammar, type GrammarNode } from './grammar.ts';

export type GrammarFault =
  | { readonly kind: 'undefined'; readonly rule: string }
  /** Nothing finite matches. */
  | { readonly kind: 'endless' }
  | { readonly kind: 'left_recursive'; readonly rule: string };

/** The first fault; null when the grammar can be followed. */
export function findFault(grammar: Grammar): GrammarFault | null {
  const missing = findUndefined(grammar);
  if (missing !== null) return { kind: 'undefined', rule: missing };
  if (!canEnd(grammar.root, endingRules(grammar))) return { kind: 'endless' };
  const rule = findLeftRecursion(grammar);
  return rule === null ? null : { kind: 'left_recursive', rule };
}

function findUndefined({ root, rules }: Grammar): string | null {
  const pending = [root, ...rules.values()];
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    if (node.kind === 'rule' && !rules.has(node.name)) return node.name;
    pending.push(...partsOf(node));
  }
  return null;
}

/** The grammar without what no finite text matches, so that whatever is begun can be ended. */
export function pruned(grammar: Grammar): Grammar {
  const ending = endingRules(grammar);
  const rules = [...grammar.rules]
    .filter(([name]) => ending.has(name))
    .map(([name, node]): [string, GrammarNode] => [name, prune(node, ending)]);
  return { root: prune(grammar.root, ending), rules: new Map(rules) };
}

function prune(node: GrammarNode, ending: ReadonlySet<string>): GrammarNode {
  switch (node.kind) {
    case 'sequence': {
      const nodes = node.nodes.map((part) => prune(part, ending));
      return nodes.some(isNothing) ? NOTHING : { ...node, nodes };
    }
    case 'choice':
      return { ...node, nodes: node.nodes.map((part) => prune(part, ending)).filter((part) => !isNothing(part)) };
    case 'repeat': {
      const inner = prune(node.node, ending);
      return isNothing(inner) ? (node.min === 0 ? EMPTY : NOTHING) : { ...node, node: inner };
    }
    case 'rule':
      return ending.has(node.name) ? node : NOTHING;
    case 'chars':
      return node.set.length === 0 ? NOTHING : node;
    default:
      return node;
  }
}

const isNothing = (node: GrammarNode): boolean => node.kind === 'choice' && node.nodes.length === 0;

/** Names of the rules that some finite text matches. */
function endingRules({ rules }: Grammar): ReadonlySet<string> {
  return fixpoint(rules, canEnd);
}

/** Names of the rules that the empty text matches. */
function nullableRules({ rules }: Grammar): ReadonlySet<string> {
  return fixpoint(rules, isNullable);
}

// NOTE: rules are asked again only when a rule that they name has been found, so the work grows with the grammar's size alone.
function fixpoint(
  rules: ReadonlyMap<string, GrammarNode>,
  holds: (node: GrammarNode, known: ReadonlySet<string>) => boolean,
): ReadonlySet<string> {
  const users = usersOf(rules);
  const found = new Set<string>();
  const pending = [...rules.keys()];
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    const node = rules.get(name);
    if (found.has(name) || node === undefined || !holds(node, found)) continue;
    found.add(name);
    pending.push(...(users.get(name) ?? []));
  }
  return found;
}

function usersOf(rules: ReadonlyMap<string, GrammarNode>): ReadonlyMap<string, readonly string[]> {
  const users = new Map<string, string[]>();
  for (const [name, body] of rules) {
    const pending = [body];
    for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
      if (node.kind === 'rule') users.set(node.name, [...(users.get(node.name) ?? []), name]);
      pending.push(...partsOf(node));
    }
  }
  return users;
}

function canEnd(node: GrammarNode, ending: ReadonlySet<string>): boolean {
  switch (node.kind) {
    case 'text':
      return true;
    case 'chars':
      return node.set.length > 0;
    case 'sequence':
      return node.nodes.every((part) => canEnd(part, ending));
    case 'choice':
      return node.nodes.some((part) => canEnd(part, ending));
    case 'repeat':
      return node.min === 0 || canEnd(node.node, ending);
    case 'rule':
      return ending.has(node.name);
  }
}

export function isNullable(node: GrammarNode, nullable: ReadonlySet<string>): boolean {
  switch (node.kind) {
    case 'text':
      return node.text === '';
    case 'chars':
      return false;
    case 'sequence':
      return node.nodes.every((part) => isNullable(part, nullable));
    case 'choice':
      return node.nodes.some((part) => isNullable(part, nullable));
    case 'repeat':
      return node.min === 0 || isNullable(node.node, nullable);
    case 'rule':
      return nullable.has(node.name);
  }
}

/** A rule that can come to itself before anything is matched; null: none. */
function findLeftRecursion(grammar: Grammar): string | null {
  const nullable = nullableRules(grammar);
  const firsts = new Map([...grammar.rules].map(([name, node]) => [name, firstRules(node, nullable)]));
  const state = new Map<string, 'open' | 'done'>();
  for (const start of firsts.keys()) {
    const path = [{ name: start, isLeaving: false }];
    for (let at = path.pop(); at !== undefined; at = path.pop()) {
      if (at.isLeaving) state.set(at.name, 'done');
      else if (state.get(at.name) === 'open') return at.name;
      else if (state.get(at.name) === undefined) {
        state.set(at.name, 'open');
        path.push({ name: at.name, isLeaving: true });
        for (const name of firsts.get(at.name) ?? []) if (state.get(name) !== 'done') path.push({ name, isLeaving: false });
      }
    }
  }
  return null;
}

/** Rules that may be entered before anything is matched. */
function firstRules(node: GrammarNode, nullable: ReadonlySet<string>): readonly string[] {
  if (node.kind === 'rule') return [node.name];
  if (node.kind !== 'sequence') return partsOf(node).flatMap((part) => firstRules(part, nullable));
  const end = node.nodes.findIndex((part) => !isNullable(part, nullable));
  return node.nodes.slice(0, end < 0 ? node.nodes.length : end + 1).flatMap((part) => firstRules(part, nullable));
}

export interface LengthRange {
  readonly min: number;
  readonly max: number;
}

/** Characters of what a node without rules matches; Infinity: no limit, or a rule. */
export function lengthOf(node: GrammarNode): LengthRange {
  switch (node.kind) {
    case 'text':
      return both(Array.from(node.text).length);
    case 'chars':
      return both(sizeOf(node.set) === 0 ? 0 : 1);
    case 'sequence':
      return node.nodes.map(lengthOf).reduce((sum, { min, max }) => ({ min: sum.min + min, max: sum.max + max }), both(0));
    case 'choice':
      return node.nodes.map(lengthOf).reduce((all, { min, max }) => ({ min: Math.min(all.min, min), max: Math.max(all.max, max) }));
    case 'repeat': {
      const { min, max } = lengthOf(node.node);
      return { min: min * node.min, max: max === 0 ? 0 : max * (node.max ?? Infinity) };
    }
    case 'rule':
      return { min: 0, max: Infinity };
  }
}

const both = (length: number): LengthRange => ({ min: length, max: length });
