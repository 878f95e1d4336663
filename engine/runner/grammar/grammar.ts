// The form that JSON Schema, regular expressions, choices and written grammars are brought into before they are compiled:
// named rules over characters. Pure; knows nothing about tokens.
import type { CharSet } from './char-set.ts';

export type GrammarNode =
  | { readonly kind: 'text'; readonly text: string }
  /** One character. */
  | { readonly kind: 'chars'; readonly set: CharSet }
  | { readonly kind: 'sequence'; readonly nodes: readonly GrammarNode[] }
  | { readonly kind: 'choice'; readonly nodes: readonly GrammarNode[] }
  /** `max` null: no limit. */
  | { readonly kind: 'repeat'; readonly node: GrammarNode; readonly min: number; readonly max: number | null }
  | { readonly kind: 'rule'; readonly name: string };

export interface Grammar {
  readonly root: GrammarNode;
  readonly rules: ReadonlyMap<string, GrammarNode>;
}

export const EMPTY: GrammarNode = { kind: 'sequence', nodes: [] };
/** Matches nothing at all. */
export const NOTHING: GrammarNode = { kind: 'choice', nodes: [] };

export const text = (value: string): GrammarNode => (value === '' ? EMPTY : { kind: 'text', text: value });
export const chars = (set: CharSet): GrammarNode => ({ kind: 'chars', set });
export const rule = (name: string): GrammarNode => ({ kind: 'rule', name });
export const optional = (node: GrammarNode): GrammarNode => repeat(node, 0, 1);
export const star = (node: GrammarNode): GrammarNode => repeat(node, 0, null);
export const plus = (node: GrammarNode): GrammarNode => repeat(node, 1, null);

export function sequence(...nodes: readonly GrammarNode[]): GrammarNode {
  const flat = nodes.flatMap((node) => (node.kind === 'sequence' ? node.nodes : [node]));
  const [only] = flat;
  return flat.length === 1 && only !== undefined ? only : { kind: 'sequence', nodes: flat };
}

export function choice(...nodes: readonly GrammarNode[]): GrammarNode {
  const flat = nodes.flatMap((node) => (node.kind === 'choice' ? node.nodes : [node]));
  const [only] = flat;
  return flat.length === 1 && only !== undefined ? only : { kind: 'choice', nodes: flat };
}

export function repeat(node: GrammarNode, min: number, max: number | null): GrammarNode {
  if (max === 0) return EMPTY;
  return min === 1 && max === 1 ? node : { kind: 'repeat', node, min, max };
}

/** Those directly within a node. */
export function partsOf(node: GrammarNode): readonly GrammarNode[] {
  if (node.kind === 'sequence' || node.kind === 'choice') return node.nodes;
  return node.kind === 'repeat' ? [node.node] : [];
}
