// Answers that call tools, as grammars: calls in the model's own syntax, their arguments by each tool's schema, after free text or not.
// Pure.
import type { GrammarSpec, ToolShape, ToolSyntax } from '../protocol.ts';
import { charsOf, negated } from './char-set.ts';
import { chars, choice, EMPTY, optional, rule, sequence, star, text, type Grammar, type GrammarNode } from './grammar.ts';
import { compileJsonSchema } from './json/json-schema.ts';

export function toolCallGrammar({ syntax, tools, allowText, allowSeveral }: Extract<GrammarSpec, { kind: 'tool_calls' }>): Grammar {
  const rules = new Map<string, GrammarNode>();
  // The trigger is written when free text ends, and with it the beginning of the first call.
  const written = allowText ? syntax.trigger : '';
  const head = (syntax.open + syntax.begin).slice(written.length);
  const bodies = tools.map((tool, i) => bodyNode(tool, `tool ${i} `, { syntax, rules }));
  rules.set('body', choice(...bodies));
  const another = sequence(text(syntax.separator + syntax.begin), rule('body'));
  const calls = sequence(text(head), rule('body'), allowSeveral ? star(another) : EMPTY, text(syntax.close));
  return { root: allowText ? freeText(syntax.trigger, calls, rules) : calls, rules };
}

/** A call from its name on. */
function bodyNode(
  { name, parameters, strict }: ToolShape,
  prefix: string,
  { syntax, rules }: { syntax: ToolSyntax; rules: Map<string, GrammarNode> },
): GrammarNode {
  const schema = compileJsonSchema(parameters, { isLenient: !strict });
  const rename = (node: GrammarNode): GrammarNode => renamed(node, prefix);
  for (const [key, node] of schema.rules) rules.set(prefix + key, rename(node));
  return sequence(text(JSON.stringify(name).slice(1, -1)), text(syntax.middle), rename(schema.root), text(syntax.end));
}

/** Rules of several schemas stand beside each other. */
function renamed(node: GrammarNode, prefix: string): GrammarNode {
  switch (node.kind) {
    case 'rule':
      return rule(prefix + node.name);
    case 'sequence':
    case 'choice':
      return { kind: node.kind, nodes: node.nodes.map((part) => renamed(part, prefix)) };
    case 'repeat':
      return { ...node, node: renamed(node.node, prefix) };
    default:
      return node;
  }
}

/**
 * Text without the trigger, and once the trigger is there what follows it.
 * NOTE: the rules are the states of the search by Knuth, Morris and Pratt (1977): rule k holds when the last k characters are the
 * trigger's first k.
 */
function freeText(trigger: string, after: GrammarNode, rules: Map<string, GrammarNode>): GrammarNode {
  const letters = Array.from(trigger);
  const alphabet = [...new Set(letters)];
  const state = (length: number): GrammarNode => rule(`text ${length}`);
  letters.forEach((_, length) => {
    const known = alphabet.map((letter) => {
      const next = matchedAfter([...letters.slice(0, length), letter], letters);
      return sequence(text(letter), next === letters.length ? after : state(next));
    });
    rules.set(`text ${length}`, optional(choice(...known, sequence(chars(negated(charsOf(alphabet.join('')))), state(0)))));
  });
  return state(0);
}

/** The longest beginning of the trigger that these characters end with. */
function matchedAfter(characters: readonly string[], letters: readonly string[]): number {
  for (let length = Math.min(characters.length, letters.length); length > 0; length--) {
    if (letters.slice(0, length).every((letter, i) => letter === characters[characters.length - length + i])) return length;
  }
  return 0;
}
