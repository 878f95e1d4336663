// One schema that asks for what two ask for, as `allOf` and keywords beside `$ref` or `anyOf` need it. Pure.
import {
  hasType,
  isNumber,
  isSame,
  isSchema,
  isSchemaObject,
  TYPES,
  type JsonSchema,
  type JsonType,
  type SchemaObject,
} from './schema-facts.ts';

/** Null where the two cannot be brought into one. */
export function mergeSchemas(a: JsonSchema, b: JsonSchema): JsonSchema | null {
  if (a === false || b === false) return false;
  if (a === true) return b;
  if (b === true) return a;
  if (!agreeOnOthers(a, b)) return null;
  const merged: Record<string, unknown> = { ...a };
  for (const [key, value] of Object.entries(b)) {
    const own = a[key];
    if (!Object.hasOwn(a, key)) merged[key] = value;
    else if (!isSame(own, value)) {
      const both = mergeKeyword(key, own, value);
      if (both === undefined) return null;
      merged[key] = both;
    }
  }
  return merged;
}

/** Each side's `additionalProperties` speaks of the properties that it does not name itself. */
function agreeOnOthers(a: SchemaObject, b: SchemaObject): boolean {
  const isClosed = (schema: SchemaObject): boolean =>
    schema['additionalProperties'] !== undefined && schema['additionalProperties'] !== true;
  const names = (schema: SchemaObject): string =>
    Object.keys(isSchemaObject(schema['properties']) ? schema['properties'] : {})
      .sort()
      .join('\n');
  return (!isClosed(a) && !isClosed(b)) || names(a) === names(b) || (names(a) === '' && !isClosed(a)) || (names(b) === '' && !isClosed(b));
}

function mergeKeyword(key: string, a: unknown, b: unknown): unknown {
  const rule = Object.hasOwn(RULES, key) ? RULES[key] : undefined;
  return rule === undefined ? undefined : rule(a, b);
}

const lesser = (a: unknown, b: unknown): unknown => (isNumber(a) && isNumber(b) ? Math.min(a, b) : undefined);
const greater = (a: unknown, b: unknown): unknown => (isNumber(a) && isNumber(b) ? Math.max(a, b) : undefined);
const first = (a: unknown): unknown => a;
const bothSchemas = (a: unknown, b: unknown): unknown => (isSchema(a) && isSchema(b) ? { allOf: [a, b] } : undefined);

/** Undefined: no single value says both. */
const RULES: Readonly<Record<string, (a: unknown, b: unknown) => unknown>> = {
  title: first,
  description: first,
  default: first,
  examples: first,
  $id: first,
  $schema: first,
  $comment: first,
  deprecated: first,
  minimum: greater,
  exclusiveMinimum: greater,
  minLength: greater,
  minItems: greater,
  minProperties: greater,
  maximum: lesser,
  exclusiveMaximum: lesser,
  maxLength: lesser,
  maxItems: lesser,
  maxProperties: lesser,
  items: bothSchemas,
  additionalProperties: bothSchemas,
  $defs: (a, b) => ({ ...Object(b), ...Object(a) }),
  definitions: (a, b) => ({ ...Object(b), ...Object(a) }),
  type: (a, b) => commonTypes(a, b),
  required: (a, b) => (Array.isArray(a) && Array.isArray(b) ? [...new Set<unknown>([...a, ...b])] : undefined),
  enum: (a, b) => (Array.isArray(a) && Array.isArray(b) ? a.filter((one: unknown) => b.some((other) => isSame(one, other))) : undefined),
  const: (a, b) => (isSame(a, b) ? a : undefined),
  properties: mergeProperties,
};

function mergeProperties(a: unknown, b: unknown): unknown {
  if (!isSchemaObject(a) || !isSchemaObject(b)) return undefined;
  const shared = Object.keys(a).filter((name) => Object.hasOwn(b, name));
  return {
    ...a,
    ...b,
    ...Object.fromEntries(shared.map((name) => [name, isSame(a[name], b[name]) ? a[name] : { allOf: [a[name], b[name]] }])),
  };
}

function commonTypes(a: unknown, b: unknown): readonly JsonType[] {
  const [left, right] = [typesOf(a), typesOf(b)];
  const has = (types: readonly JsonType[], type: JsonType): boolean =>
    types.includes(type) || (type === 'integer' && types.includes('number'));
  return TYPES.filter((type) => has(left, type) && has(right, type)).filter(
    (type, _, kept) => type !== 'integer' || !kept.includes('number'),
  );
}

export function typesOf(type: unknown): readonly JsonType[] {
  const named = Array.isArray(type) ? type : [type];
  return TYPES.filter((known) => named.includes(known));
}

/** Whether no value can be valid for both, as far as that is plain to see. */
export function areDisjoint(a: JsonSchema, b: JsonSchema): boolean {
  if (!isSchemaObject(a) || !isSchemaObject(b)) return a === false || b === false;
  const [left, right] = [valuesOf(a), valuesOf(b)];
  if (left !== null && right !== null) return !left.some((one) => right.some((other) => isSame(one, other)));
  if (left !== null && b['type'] !== undefined) return left.every((value) => !hasType(value, typesOf(b['type'])));
  if (right !== null && a['type'] !== undefined) return right.every((value) => !hasType(value, typesOf(a['type'])));
  if (a['type'] !== undefined && b['type'] !== undefined && commonTypes(a['type'], b['type']).length === 0) return true;
  return haveDisjointProperty(a, b);
}

function valuesOf(schema: SchemaObject): readonly unknown[] | null {
  if (Object.hasOwn(schema, 'const')) return [schema['const']];
  return Array.isArray(schema['enum']) ? schema['enum'] : null;
}

/** Two objects that must have a property whose values differ: a discriminator. */
function haveDisjointProperty(a: SchemaObject, b: SchemaObject): boolean {
  const [left, right] = [a['properties'], b['properties']];
  if (!isObjectOnly(a) || !isObjectOnly(b) || !isSchemaObject(left) || !isSchemaObject(right)) return false;
  return requiredOf(a).some((name) => {
    const [one, other] = [left[name], right[name]];
    return requiredOf(b).includes(name) && isSchema(one) && isSchema(other) && areDisjoint(one, other);
  });
}

const isObjectOnly = (schema: SchemaObject): boolean =>
  typesOf(schema['type']).every((type) => type === 'object') && schema['type'] !== undefined;

export function requiredOf(schema: SchemaObject): readonly string[] {
  const { required } = schema;
  return Array.isArray(required) ? required.filter((name) => typeof name === 'string') : [];
}
