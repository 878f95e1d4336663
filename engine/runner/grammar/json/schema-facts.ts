// What JSON Schema's keywords are to this compiler: enforced, without effect on what is valid, or refused by name. Pure.

export type JsonType = 'object' | 'array' | 'string' | 'number' | 'integer' | 'boolean' | 'null';
export type JsonSchema = boolean | SchemaObject;
export type SchemaObject = Readonly<Record<string, unknown>>;

export const TYPES: readonly JsonType[] = ['object', 'array', 'string', 'number', 'integer', 'boolean', 'null'];

/** Keywords that are enforced, by the type they speak of. */
export const KEYWORDS_OF: Readonly<Record<JsonType, readonly string[]>> = {
  object: ['properties', 'required', 'additionalProperties', 'minProperties', 'maxProperties'],
  array: ['items', 'prefixItems', 'minItems', 'maxItems', 'additionalItems'],
  string: ['minLength', 'maxLength', 'pattern', 'format'],
  number: ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf'],
  integer: ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf'],
  boolean: [],
  null: [],
};

/** Keywords that restrict what is valid in a way that no grammar of bounded size can follow, and the type they speak of. */
export const REFUSED: ReadonlyMap<string, JsonType | null> = new Map<string, JsonType | null>([
  ...['not', 'if', 'then', 'else', '$dynamicRef', '$recursiveRef'].map((keyword): [string, null] => [keyword, null]),
  ...['patternProperties', 'propertyNames', 'dependentRequired', 'dependentSchemas', 'dependencies', 'unevaluatedProperties'].map(
    (keyword): [string, JsonType] => [keyword, 'object'],
  ),
  ...['contains', 'minContains', 'maxContains', 'unevaluatedItems', 'uniqueItems'].map((keyword): [string, JsonType] => [keyword, 'array']),
]);

/** Values of refused keywords that ask for nothing. */
export function asksForNothing(keyword: string, value: unknown): boolean {
  if (keyword === 'uniqueItems') return value === false;
  if (keyword === 'minContains') return value === 0;
  if (value === true) return true;
  const isEmpty = typeof value === 'object' && value !== null && Object.keys(value).length === 0;
  return isEmpty && keyword !== 'not' && keyword !== 'contains';
}

export const isSchemaObject = (value: unknown): value is SchemaObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
export const isSchema = (value: unknown): value is JsonSchema => typeof value === 'boolean' || isSchemaObject(value);
export const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);

export function typeOf(value: unknown): JsonType {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  if (typeof value === 'string' || typeof value === 'boolean') return typeof value as 'string' | 'boolean';
  return 'object';
}

/** Whether a value's type is one of these. */
export const hasType = (value: unknown, types: readonly JsonType[]): boolean => {
  const type = typeOf(value);
  return types.includes(type) || (type === 'integer' && types.includes('number'));
};

/** The same JSON, whatever the order of keys. */
export function isSame(a: unknown, b: unknown): boolean {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const [left, right] = [Object.entries(a), new Map(Object.entries(b))];
  return left.length === right.size && left.every(([key, value]) => right.has(key) && isSame(value, right.get(key)));
}
