// Strings and numbers of JSON Schema as grammars. Pure.
import { lengthOf } from '../analyse.ts';
import type { GrammarNode } from '../grammar.ts';
import { parseRegex } from '../regex.ts';
import { countsOf } from './array-schema.ts';
import { decimalsWithin, integersWithin, type Bound, type Bounds } from './decimal-range.ts';
import { FORMATS } from './formats.ts';
import { anyString, insideString, integer, number, quoted } from './json-text.ts';
import { isNumber, type SchemaObject } from './schema-facts.ts';
import { broken, unenforceable, type SchemaPath } from './schema-faults.ts';

export function stringNode(schema: SchemaObject, path: SchemaPath, isLenient: boolean): GrammarNode {
  const { min, max } = countsOf(schema, ['minLength', 'maxLength'], path);
  const shape = shapeOf(schema, path, isLenient);
  if (shape === null) return anyString(min, max);
  const length = lengthOf(shape);
  if (!isLenient && min > length.min) throw unenforceable('minLength', path, 'beside a pattern or format that allows less');
  if (!isLenient && max !== null && max < length.max) throw unenforceable('maxLength', path, 'beside a pattern or format that allows more');
  return quoted(insideString(shape));
}

/** What `pattern` or `format` say; null: neither is there. */
function shapeOf({ pattern, format }: SchemaObject, path: SchemaPath, isLenient: boolean): GrammarNode | null {
  if (pattern !== undefined) {
    if (typeof pattern !== 'string') throw broken('pattern', path, 'must be a string');
    if (format !== undefined && !isLenient) throw unenforceable('format', path, 'beside a pattern');
    return patternNode(pattern, path, isLenient);
  }
  if (format === undefined) return null;
  if (typeof format !== 'string') throw broken('format', path, 'must be a string');
  const known = Object.hasOwn(FORMATS, format) ? FORMATS[format] : undefined;
  if (known !== undefined) return parseRegex(known, { whole: true });
  if (isLenient) return null;
  throw unenforceable('format', path, `${JSON.stringify(format.slice(0, 64))} is none of ${Object.keys(FORMATS).join(', ')}`);
}

function patternNode(pattern: string, path: SchemaPath, isLenient: boolean): GrammarNode | null {
  try {
    return parseRegex(pattern, { whole: false });
  } catch (error) {
    if (isLenient) return null;
    throw unenforceable('pattern', path, error instanceof Error ? error.message.replace(/\.$/, '') : String(error));
  }
}

export function numberNode(
  schema: SchemaObject,
  path: SchemaPath,
  { isInteger, isLenient }: { isInteger: boolean; isLenient: boolean },
): GrammarNode {
  const { multipleOf } = schema;
  const asInteger = isInteger || multipleOf === 1;
  if (multipleOf !== undefined && multipleOf !== 1 && !isLenient)
    throw unenforceable('multipleOf', path, 'only multiples of 1 can be written');
  const bounds: Bounds = {
    min: boundOf(schema, ['minimum', 'exclusiveMinimum'], path),
    max: boundOf(schema, ['maximum', 'exclusiveMaximum'], path),
  };
  if (bounds.min === null && bounds.max === null) return asInteger ? integer : number;
  return asInteger ? integersWithin(bounds) : decimalsWithin(bounds);
}

/** Numbers beyond are no bound that digits could follow. */
const LARGEST = 1e30;

function boundOf(schema: SchemaObject, [keyword, exclusive]: readonly [string, string], path: SchemaPath): Bound | null {
  const [value, other] = [schema[keyword], schema[exclusive]];
  if (value !== undefined && !isNumber(value)) throw broken(keyword, path, 'must be a number');
  // In the fourth draft the exclusive keyword was a flag of the other.
  if (typeof other === 'boolean') return value === undefined ? null : checked({ value, isExclusive: other }, keyword, path);
  if (other !== undefined && !isNumber(other)) throw broken(exclusive, path, 'must be a number');
  if (other === undefined) return value === undefined ? null : checked({ value, isExclusive: false }, keyword, path);
  const isOther = value === undefined || (keyword === 'minimum' ? other >= value : other <= value);
  return checked(isOther ? { value: other, isExclusive: true } : { value, isExclusive: false }, isOther ? exclusive : keyword, path);
}

function checked(bound: Bound, keyword: string, path: SchemaPath): Bound {
  const size = Math.abs(bound.value);
  if (size > LARGEST || (size > 0 && size < 1 / LARGEST))
    throw unenforceable(keyword, path, `only bounds between ${1 / LARGEST} and ${LARGEST} can be written`);
  return bound;
}
