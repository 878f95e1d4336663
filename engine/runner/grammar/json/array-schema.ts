// Arrays of JSON Schema as grammars: items, prefixItems and their counts. Pure.
import { choice, EMPTY, NOTHING, optional, repeat, sequence, type GrammarNode } from '../grammar.ts';
import { bracketed, COMMA } from './json-text.ts';
import { isSchema, type JsonSchema, type SchemaObject } from './schema-facts.ts';
import { broken, unenforceable, type SchemaPath } from './schema-faults.ts';

/** Items of one array that a schema may ask for. */
const MAX_ITEMS = 100_000;

interface ArrayFacts {
  readonly prefix: readonly JsonSchema[];
  /** Of items after the prefix; false: none. */
  readonly rest: JsonSchema;
  readonly min: number;
  readonly max: number | null;
}

export type CompileSchema = (schema: JsonSchema, path: SchemaPath) => GrammarNode;

export function arrayNode(schema: SchemaObject, path: SchemaPath, compile: CompileSchema): GrammarNode {
  const { prefix, rest, min, max } = readArray(schema, path);
  const heads = prefix.slice(0, max ?? prefix.length).map((item, i) => compile(item, [...path, 'prefixItems', i]));
  const tail = rest === false ? null : compile(rest, [...path, 'items']);
  const inside = listNode({ heads, tail, min, max });
  return bracketed(inside);
}

function readArray(schema: SchemaObject, path: SchemaPath): ArrayFacts {
  const { items, prefixItems, additionalItems } = schema;
  // Before the draft of 2020, a list of items was what prefixItems is now.
  const isOld = Array.isArray(items);
  const prefix = isOld ? items : (prefixItems ?? []);
  const rest = isOld ? (additionalItems ?? true) : (items ?? true);
  if (!Array.isArray(prefix) || !prefix.every(isSchema)) throw broken('prefixItems', path, 'must be a list of schemas');
  if (!isSchema(rest)) throw broken('items', path, 'must be a schema');
  return { prefix, rest, ...countsOf(schema, ['minItems', 'maxItems'], path) };
}

/** The two counts of a schema. */
export function countsOf(
  schema: SchemaObject,
  [low, high]: readonly [string, string],
  path: SchemaPath,
): { min: number; max: number | null } {
  const read = (keyword: string): number | undefined => {
    const value = schema[keyword];
    if (value === undefined) return undefined;
    if (typeof value !== 'number' || !Number.isInteger(value) || value < 0) throw broken(keyword, path, 'must be a natural number');
    return value;
  };
  const [min, max] = [read(low) ?? 0, read(high) ?? null];
  if (min > MAX_ITEMS) throw unenforceable(low, path, `more than ${MAX_ITEMS} cannot be counted`);
  return { min, max: max !== null && max > MAX_ITEMS ? null : max };
}

interface List {
  /** The first items, each of its own kind. */
  readonly heads: readonly GrammarNode[];
  /** All others; null: there are none. */
  readonly tail: GrammarNode | null;
  readonly min: number;
  readonly max: number | null;
}

function listNode({ heads, tail, min, max }: List): GrammarNode {
  if (max !== null && min > max) return NOTHING;
  if (tail === null && min > heads.length) return NOTHING;
  const most = max === null ? null : max - heads.length;
  const least = Math.max(0, min - heads.length);
  if (heads.length === 0) return tail === null ? EMPTY : itemsNode(tail, least, most);
  const after = tail === null ? EMPTY : repeat(sequence(COMMA, tail), least, most);
  return heads.reduceRight<GrammarNode>((rest, head, i) => {
    const item = sequence(i === 0 ? EMPTY : COMMA, head, rest);
    return i < min ? item : optional(item);
  }, after);
}

function itemsNode(item: GrammarNode, min: number, max: number | null): GrammarNode {
  if (max === 0) return EMPTY;
  const some = sequence(item, repeat(sequence(COMMA, item), Math.max(0, min - 1), max === null ? null : max - 1));
  return min === 0 ? choice(EMPTY, some) : some;
}
