// Objects of JSON Schema as grammars. Properties come in the order in which the schema names them. Others are written only where
// `additionalProperties` says so, or where the schema names none. Pure.
import { choice, EMPTY, NOTHING, optional, repeat, sequence, star, text, type GrammarNode } from '../grammar.ts';
import { countsOf, type CompileSchema } from './array-schema.ts';
import { ANY_OBJECT, braced, COLON, COMMA, otherKey } from './json-text.ts';
import { requiredOf } from './merge-schemas.ts';
import { isSchema, isSchemaObject, type JsonSchema, type SchemaObject } from './schema-facts.ts';
import { broken, unenforceable, type SchemaPath } from './schema-faults.ts';

export interface ObjectContext {
  readonly compile: CompileSchema;
  /** Names a node, so that it can be used in several places. */
  readonly share: (node: GrammarNode) => GrammarNode;
}

interface Property {
  /** With its key. */
  readonly pair: GrammarNode;
  readonly isRequired: boolean;
}

export function objectNode(schema: SchemaObject, path: SchemaPath, context: ObjectContext): GrammarNode {
  const named = namedProperties(schema, path);
  const others = otherProperties(schema, path, named);
  const missing = requiredOf(schema).filter((name) => !named.has(name));
  if (others === null && missing.length > 0) return NOTHING;
  for (const name of missing) named.set(name, others ?? true);
  checkCounts(schema, path, named);
  if (named.size === 0) return mapNode(others, countsOf(schema, ['minProperties', 'maxProperties'], path), { path, context });
  const required = new Set(requiredOf(schema));
  const properties = [...named].map(([name, value]) => ({
    pair: sequence(text(JSON.stringify(name)), COLON, context.compile(value, [...path, 'properties', name])),
    isRequired: required.has(name),
  }));
  const extra =
    others === null ? null : sequence(otherKey([...named.keys()]), COLON, context.compile(others, [...path, 'additionalProperties']));
  return braced(pairsNode(properties, extra, context));
}

function namedProperties(schema: SchemaObject, path: SchemaPath): Map<string, JsonSchema> {
  const { properties = {}, required = [] } = schema;
  if (!isSchemaObject(properties)) throw broken('properties', path, 'must be an object');
  if (!Array.isArray(required) || !required.every((name) => typeof name === 'string'))
    throw broken('required', path, 'must be a list of names');
  const named = new Map<string, JsonSchema>();
  for (const [name, value] of Object.entries(properties)) {
    if (!isSchema(value)) throw broken('properties', [...path, 'properties', name], 'must hold schemas');
    named.set(name, value);
  }
  return named;
}

/** What other properties must be; null: there are none. */
function otherProperties(schema: SchemaObject, path: SchemaPath, named: ReadonlyMap<string, JsonSchema>): JsonSchema | null {
  const { additionalProperties } = schema;
  if (additionalProperties === undefined)
    return named.size === 0 ? true : requiredOf(schema).some((name) => !named.has(name)) ? true : null;
  if (!isSchema(additionalProperties)) throw broken('additionalProperties', path, 'must be a schema');
  return additionalProperties === false ? null : additionalProperties;
}

/** Keys that are free might be equal, so how many different ones there are is known of named properties alone. */
function checkCounts(schema: SchemaObject, path: SchemaPath, named: ReadonlyMap<string, JsonSchema>): void {
  const { min, max } = countsOf(schema, ['minProperties', 'maxProperties'], path);
  const sure = requiredOf(schema).length;
  const canAdd = schema['additionalProperties'] !== undefined && schema['additionalProperties'] !== false;
  if (min > Math.max(sure, named.size === 0 ? 1 : 0)) throw unenforceable('minProperties', path, 'different keys cannot be counted');
  if (named.size > 0 && max !== null && (canAdd || named.size > max))
    throw unenforceable('maxProperties', path, 'optional properties cannot be counted');
}

function mapNode(
  others: JsonSchema | null,
  counts: { min: number; max: number | null },
  { path, context }: { path: SchemaPath; context: ObjectContext },
): GrammarNode {
  if (others === null || counts.max === 0) return counts.min > 0 ? NOTHING : braced(EMPTY);
  if (others === true && counts.min === 0 && counts.max === null) return ANY_OBJECT;
  const pair = sequence(otherKey([]), COLON, context.compile(others, [...path, 'additionalProperties']));
  const some = sequence(pair, repeat(sequence(COMMA, pair), 0, counts.max === null ? null : counts.max - 1));
  return braced(counts.min > 0 ? some : optional(some));
}

// NOTE: a comma stands between two pairs, so what may follow depends on whether a pair has come before. After the first pair that is
// a plain sequence; before it, each optional property is a fork, whose branches share what follows.
function pairsNode(properties: readonly Property[], extra: GrammarNode | null, context: ObjectContext): GrammarNode {
  const more = extra === null ? EMPTY : star(sequence(COMMA, extra));
  let following: GrammarNode = more;
  let beginning: GrammarNode = extra === null ? EMPTY : optional(sequence(extra, more));
  for (const { pair, isRequired } of [...properties].reverse()) {
    const shared = isRequired ? following : context.share(following);
    const first = sequence(pair, shared);
    beginning = isRequired ? first : choice(first, beginning);
    const next = sequence(COMMA, pair);
    following = sequence(isRequired ? next : optional(next), shared);
  }
  return beginning;
}
