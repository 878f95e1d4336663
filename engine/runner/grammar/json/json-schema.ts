// Compiles JSON Schema (2020-12, and what earlier drafts wrote otherwise) to a grammar. What it cannot enforce it refuses by name,
// or, when told to be lenient, leaves out. Pure.
import { EngineError } from '../../../errors.ts';
import { choice, NOTHING, rule, text, type Grammar, type GrammarNode } from '../grammar.ts';
import { arrayNode } from './array-schema.ts';
import { ANY_ARRAY, ANY_OBJECT, ANY_VALUE, boolean, jsonRules } from './json-text.ts';
import { areDisjoint, mergeSchemas, typesOf } from './merge-schemas.ts';
import { objectNode } from './object-schema.ts';
import {
  asksForNothing,
  hasType,
  isSchema,
  isSchemaObject,
  KEYWORDS_OF,
  REFUSED,
  TYPES,
  type JsonSchema,
  type JsonType,
  type SchemaObject,
} from './schema-facts.ts';
import { broken, unenforceable, type SchemaPath } from './schema-faults.ts';
import { numberNode, stringNode } from './string-schema.ts';

export interface SchemaOptions {
  /** Leave out what cannot be enforced. */
  readonly isLenient: boolean;
}

/** Schemas within schemas. */
const MAX_DEPTH = 100;
/** Schemas in one schema, those that `allOf` and `anyOf` make included. */
const MAX_SCHEMAS = 20_000;
/** Characters of an `enum` with all its values. */
const MAX_ENUM_CHARS = 200_000;

/** @throws EngineError `unsupported_parameter` for what cannot be enforced, `invalid_request` for what is no schema */
export function compileJsonSchema(schema: unknown, options: SchemaOptions): Grammar {
  return new SchemaCompiler(schema, options).compile();
}

class SchemaCompiler {
  readonly #root: unknown;
  readonly #options: SchemaOptions;
  readonly #rules = jsonRules();
  #schemas = 0;
  #shared = 0;

  constructor(root: unknown, options: SchemaOptions) {
    this.#root = root;
    this.#options = options;
  }

  compile(): Grammar {
    if (!isSchema(this.#root)) throw broken('$schema', [], 'does not belong to an object: a schema is an object, true or false');
    const name = '#';
    this.#rules.set(name, NOTHING);
    this.#rules.set(name, this.#schema(this.#root, []));
    return { root: rule(name), rules: this.#rules };
  }

  readonly #schema = (schema: JsonSchema, path: SchemaPath): GrammarNode => {
    if (++this.#schemas > MAX_SCHEMAS) throw unenforceable('$schema', [], `it has more than ${MAX_SCHEMAS} parts`);
    if (path.length > MAX_DEPTH * 2) throw unenforceable('$schema', [], `it is nested more than ${MAX_DEPTH} levels deep`);
    if (typeof schema === 'boolean') return schema ? ANY_VALUE : NOTHING;
    if (schema['$ref'] !== undefined && !hasConstraints(schema)) return this.#reference(schema['$ref'], path);
    try {
      if (!this.#options.isLenient) refuseUnknown(schema, path);
      return COMBINATORS.some((keyword) => schema[keyword] !== undefined) ? this.#combined(schema, path) : this.#plain(schema, path);
    } catch (error) {
      if (this.#options.isLenient && error instanceof EngineError && error.code === 'unsupported_parameter') return ANY_VALUE;
      throw error;
    }
  };

  /** A rule of its own for each place that is referred to, so that schemas may refer to themselves. */
  #reference(ref: unknown, path: SchemaPath): GrammarNode {
    const { name, schema } = this.#resolve(ref, path);
    if (!this.#rules.has(name)) {
      this.#rules.set(name, NOTHING);
      this.#rules.set(name, this.#schema(schema, [name]));
    }
    return rule(name);
  }

  #resolve(ref: unknown, path: SchemaPath): { name: string; schema: JsonSchema } {
    if (typeof ref !== 'string') throw broken('$ref', path, 'must be a string');
    if (!ref.startsWith('#')) throw unenforceable('$ref', path, 'only references within the schema ("#/…") are followed');
    let at: unknown = this.#root;
    for (const part of ref.split('/').slice(1)) at = childOf(at, decode(part).replaceAll('~1', '/').replaceAll('~0', '~'));
    if (!isSchema(at) || (ref !== '#' && !ref.startsWith('#/')))
      throw broken('$ref', path, `points to ${JSON.stringify(ref.slice(0, 100))}, which is no schema here`);
    return { name: ref, schema: at };
  }

  /** The keywords that combine schemas, resolved one by one. */
  #combined(schema: SchemaObject, path: SchemaPath): GrammarNode {
    const [keyword = ''] = COMBINATORS.filter((name) => schema[name] !== undefined);
    const { [keyword]: value, ...rest } = schema;
    if (keyword === '$ref') return this.#merged([rest, this.#resolve(value, path).schema], '$ref', path);
    if (!Array.isArray(value) || value.length === 0 || !value.every(isSchema)) throw broken(keyword, path, 'must be a list of schemas');
    if (keyword === 'allOf') return this.#merged([rest, ...value], 'allOf', path);
    if (keyword === 'oneOf') this.#checkDisjoint(value, path);
    return choice(...value.map((branch, i) => this.#merged([rest, branch], keyword, [...path, keyword, i])));
  }

  #merged(schemas: readonly JsonSchema[], keyword: string, path: SchemaPath): GrammarNode {
    const constraining = schemas.filter((schema) => typeof schema === 'boolean' || hasConstraints(schema) || schema['$ref'] !== undefined);
    const [only] = constraining;
    if (only === undefined) return ANY_VALUE;
    if (constraining.length === 1) return this.#schema(only, [...path, keyword]);
    const merged = constraining.reduce((all, schema) => {
      const both = mergeSchemas(all, schema);
      if (both === null) throw unenforceable(keyword, path, 'its parts cannot be brought into one schema');
      return both;
    });
    return this.#schema(merged, [...path, keyword]);
  }

  /** Of branches that exclude each other, any is exactly one. */
  #checkDisjoint(branches: readonly JsonSchema[], path: SchemaPath): void {
    if (this.#options.isLenient) return;
    const resolved = branches.map((branch) =>
      isSchemaObject(branch) && branch['$ref'] !== undefined ? this.#resolve(branch['$ref'], path).schema : branch,
    );
    const isOverlapping = resolved.some((one, i) => resolved.slice(i + 1).some((other) => !areDisjoint(one, other)));
    if (isOverlapping) throw unenforceable('oneOf', path, 'its branches must differ by type or by a required property; use anyOf');
  }

  #plain(schema: SchemaObject, path: SchemaPath): GrammarNode {
    if (Object.hasOwn(schema, 'const')) return this.#values([schema['const']], schema, path);
    if (schema['enum'] !== undefined) return this.#values(schema['enum'], schema, path);
    return choice(...this.#types(schema, path).map((type) => this.#typed(type, schema, path)));
  }

  #values(values: unknown, schema: SchemaObject, path: SchemaPath): GrammarNode {
    if (!Array.isArray(values)) throw broken('enum', path, 'must be a list');
    const types = schema['type'] === undefined ? TYPES : this.#types(schema, path);
    const fitting = values.filter((value) => hasType(value, types));
    const beside = Object.keys(schema).find((keyword) => TYPES.some((type) => KEYWORDS_OF[type].includes(keyword)));
    if (beside !== undefined && !this.#options.isLenient) throw unenforceable(beside, path, 'beside an enum or const');
    const texts = fitting.map((value) => JSON.stringify(value));
    if (texts.reduce((sum, { length }) => sum + length, 0) > MAX_ENUM_CHARS)
      throw unenforceable('enum', path, `it has more than ${MAX_ENUM_CHARS} characters`);
    return choice(...texts.map(text));
  }

  /** The types that the schema allows. Without `type`, those that its keywords speak of; without such keywords all. */
  #types(schema: SchemaObject, path: SchemaPath): readonly JsonType[] {
    const { type } = schema;
    if (type !== undefined) {
      const named: unknown[] = Array.isArray(type) ? type : [type];
      if (named.some((name) => !TYPES.some((known) => known === name))) throw broken('type', path, 'names an unknown type');
      const types = typesOf(type);
      return types.includes('number') ? types.filter((name) => name !== 'integer') : types;
    }
    const spoken = TYPES.filter((name) => name !== 'integer' && KEYWORDS_OF[name].some((keyword) => schema[keyword] !== undefined));
    return spoken.length > 0 ? spoken : TYPES.filter((name) => name !== 'integer');
  }

  #typed(type: JsonType, schema: SchemaObject, path: SchemaPath): GrammarNode {
    const { isLenient } = this.#options;
    const isFree = !KEYWORDS_OF[type].some((keyword) => schema[keyword] !== undefined);
    switch (type) {
      case 'object':
        return isFree ? ANY_OBJECT : objectNode(schema, path, { compile: this.#schema, share: this.#share });
      case 'array':
        return isFree ? ANY_ARRAY : arrayNode(schema, path, this.#schema);
      case 'string':
        return stringNode(schema, path, isLenient);
      case 'number':
      case 'integer':
        return numberNode(schema, path, { isInteger: type === 'integer', isLenient });
      case 'boolean':
        return boolean;
      case 'null':
        return text('null');
    }
  }

  readonly #share = (node: GrammarNode): GrammarNode => {
    if (node.kind === 'rule' || (node.kind === 'sequence' && node.nodes.length === 0)) return node;
    const name = `shared ${++this.#shared}`;
    this.#rules.set(name, node);
    return rule(name);
  };
}

const COMBINATORS = ['allOf', '$ref', 'anyOf', 'oneOf'] as const;
const CONSTRAINTS = new Set([
  ...TYPES.flatMap((type) => KEYWORDS_OF[type]),
  ...REFUSED.keys(),
  'type',
  'enum',
  'const',
  'allOf',
  'anyOf',
  'oneOf',
]);

/** Whether anything beside a reference restricts what is valid. */
function hasConstraints(schema: SchemaObject): boolean {
  return Object.keys(schema).some((keyword) => CONSTRAINTS.has(keyword));
}

function refuseUnknown(schema: SchemaObject, path: SchemaPath): void {
  const types = schema['type'] === undefined ? TYPES : typesOf(schema['type']);
  for (const [keyword, value] of Object.entries(schema)) {
    const speaksOf = REFUSED.get(keyword);
    if (speaksOf === undefined || asksForNothing(keyword, value)) continue;
    if (speaksOf === null || types.includes(speaksOf)) throw unenforceable(keyword, path, 'no grammar can follow it');
  }
}

function childOf(value: unknown, key: string): unknown {
  if (Array.isArray(value)) return /^\d+$/.test(key) ? value[Number(key)] : undefined;
  return isSchemaObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
