// JSON Schema as a grammar: whatever it lets through is valid for an independent validator, what it cannot enforce is refused by name.
import fc from 'fast-check';
import { Check } from 'typebox/schema';
import { describe, expect, it } from 'vitest';
import { EngineError } from '../../../engine/errors.ts';
import { compiled, matches, randomFrom, randomText } from './following.ts';

const strict = (schema: unknown) => compiled({ kind: 'json_schema', schema, strict: true });

/** Throws unless the text is JSON that the schema allows. */
function expectValid(schema: unknown, text: string): void {
  const value: unknown = JSON.parse(text);
  expect(Check(schema as Parameters<typeof Check>[0], value), `${JSON.stringify(schema)} against ${text}`).toBe(true);
}

const names = fc.constantFrom('a', 'b', 'name', 'na', 'größe', 'with "quotes"', 'tab\t');
const count = fc.integer({ min: 0, max: 4 });
const bound = fc.oneof(
  fc.integer({ min: -200, max: 200 }),
  fc.double({ min: -20, max: 20, noNaN: true, noDefaultInfinity: true }).map((value) => Number(value.toFixed(3))),
);

const strings = fc
  .tuple(count, count, fc.constantFrom(undefined, '^[a-c]+$', 'x', '^(ja|nein)$', '^\\d{2,3}-[^a-y]?', '[a-zäß"\\\\]$'), fc.boolean())
  .map(([low, more, pattern, isBounded]) =>
    pattern !== undefined
      ? { type: 'string', pattern }
      : isBounded
        ? { type: 'string', minLength: low, maxLength: low + more }
        : { type: 'string' },
  );
const formatted = fc
  .constantFrom('date', 'time', 'date-time', 'email', 'ipv4', 'ipv6', 'uuid', 'uri', 'hostname', 'duration')
  .map((format) => ({ type: 'string', format }));
const numbers = fc
  .tuple(
    fc.constantFrom('number', 'integer'),
    bound,
    bound,
    fc.constantFrom('minimum', 'exclusiveMinimum', ''),
    fc.constantFrom('maximum', 'exclusiveMaximum', ''),
  )
  .map(([type, one, other, low, high]) => ({
    type,
    ...(low === '' ? {} : { [low]: Math.min(one, other) }),
    // Room for at least one integer between the two.
    ...(high === '' ? {} : { [high]: Math.max(one, other) + 2 }),
  }));
const scalars = fc.oneof(
  strings,
  formatted,
  numbers,
  fc.constantFrom({ type: 'boolean' }, { type: 'null' }, { type: ['string', 'null'] }, {}, true),
  fc.array(fc.jsonValue({ maxDepth: 1 }), { minLength: 1, maxLength: 3 }).map((values) => ({ enum: values })),
  fc.jsonValue({ maxDepth: 1 }).map((value) => ({ const: value })),
);

const { schemas } = fc.letrec<{ schemas: unknown; objects: unknown; arrays: unknown; choices: unknown }>((tie) => ({
  schemas: fc.oneof({ maxDepth: 3 }, scalars, tie('objects'), tie('arrays'), tie('choices')),
  objects: fc
    .tuple(
      fc.uniqueArray(fc.tuple(names, tie('schemas'), fc.boolean()), { maxLength: 4, selector: ([name]) => name }),
      fc.oneof(fc.constantFrom(undefined, true, false), scalars),
    )
    .map(([properties, others]) => ({
      type: 'object',
      properties: Object.fromEntries(properties.map(([name, schema]) => [name, schema])),
      required: properties.filter(([, , isRequired]) => isRequired).map(([name]) => name),
      ...(others === undefined ? {} : { additionalProperties: others }),
    })),
  arrays: fc
    .tuple(fc.array(tie('schemas'), { maxLength: 2 }), fc.oneof(tie('schemas'), fc.constant(undefined)), count, count)
    .map(([prefixItems, items, low, more]) => ({
      type: 'array',
      ...(prefixItems.length > 0 ? { prefixItems } : {}),
      ...(items === undefined ? {} : { items }),
      minItems: low,
      maxItems: low + more,
    })),
  choices: fc.array(tie('schemas'), { minLength: 1, maxLength: 3 }).map((anyOf) => ({ anyOf })),
}));

describe('a schema as a grammar', () => {
  it('lets through only what is valid', () => {
    fc.assert(
      fc.property(schemas, fc.integer(), (schema, seed) => {
        const grammar = strict(schema);
        const pick = randomFrom(seed);
        for (let round = 0; round < 3; round++) expectValid(schema, randomText(grammar, pick));
      }),
      { numRuns: 150 },
    );
  });

  it('follows references, recursion included', () => {
    const tree = {
      $defs: {
        node: {
          type: 'object',
          properties: { value: { type: 'integer' }, children: { type: 'array', items: { $ref: '#/$defs/node' } } },
          required: ['value', 'children'],
          additionalProperties: false,
        },
      },
      $ref: '#/$defs/node',
    };
    const grammar = strict(tree);
    expect(matches(grammar, '{"value": 1, "children": [{"value": 2, "children": []}]}')).toBe(true);
    expect(matches(grammar, '{"value": 1, "children": [{"value": 2}]}')).toBe(false);
    const pick = randomFrom(5);
    for (let round = 0; round < 20; round++) expectValid(tree, randomText(grammar, pick));
  });

  it('joins allOf, keywords beside $ref, and oneOf with a discriminator', () => {
    const shape = (kind: string, extra: object) => ({
      type: 'object',
      properties: { kind: { const: kind }, ...extra },
      required: ['kind', ...Object.keys(extra)],
    });
    const schema = {
      $defs: { base: { type: 'object', properties: { id: { type: 'integer', minimum: 1 } }, required: ['id'] } },
      allOf: [{ $ref: '#/$defs/base' }, { properties: { id: { maximum: 9 }, name: { type: 'string', maxLength: 3 } }, required: ['name'] }],
    };
    const discriminated = { oneOf: [shape('circle', { radius: { type: 'number' } }), shape('square', { side: { type: 'number' } })] };
    const pick = randomFrom(11);
    for (const one of [schema, discriminated]) for (let round = 0; round < 10; round++) expectValid(one, randomText(strict(one), pick));
    expect(matches(strict(schema), '{"id": 10, "name": "a"}')).toBe(false);
    expect(matches(strict(schema), '{"id": 9, "name": "abc"}')).toBe(true);
    expect(matches(strict(discriminated), '{"kind": "circle", "side": 1}')).toBe(false);
  });

  it('takes required names in any order, and properties in the schema’s', () => {
    const schema = {
      type: 'object',
      properties: { a: { type: 'null' }, b: { type: 'null' }, c: { type: 'null' } },
      required: ['c', 'a'],
      additionalProperties: false,
    };
    expect(matches(strict(schema), '{"a":null,"c":null}')).toBe(true);
    expect(matches(strict(schema), '{"a": null, "b": null, "c": null}')).toBe(true);
    expect(matches(strict(schema), '{"b": null, "c": null}')).toBe(false);
    expect(matches(strict(schema), '{"a": null, "c": null,}')).toBe(false);
  });

  it('writes no key twice under another schema', () => {
    const schema = { type: 'object', properties: { a: { type: 'null' }, ab: { type: 'null' } }, additionalProperties: { type: 'integer' } };
    expect(matches(strict(schema), '{"a": 1}')).toBe(false);
    expect(matches(strict(schema), '{"ab": 1}')).toBe(false);
    expect(matches(strict(schema), '{"a": null, "abc": 1, "b": 2}')).toBe(true);
  });

  it.each([
    [{ type: 'integer', minimum: 7, maximum: 123 }, ['7', '10', '99', '123'], ['6', '124', '07', '7.0', '-7']],
    [{ type: 'integer', exclusiveMinimum: -12, exclusiveMaximum: 3 }, ['-11', '-1', '0', '2'], ['-12', '3', '-0']],
    [{ type: 'number', minimum: 0.25, maximum: 2.5 }, ['0.25', '0.3', '1', '2', '2.5', '2.50', '2.49'], ['0.2', '0', '2.51', '3', '-1']],
    [{ type: 'number', exclusiveMinimum: 0 }, ['0.001', '1', '15.5'], ['0', '0.0', '-1']],
    [{ type: 'number', minimum: -1.5, maximum: -1.25 }, ['-1.5', '-1.3', '-1.25'], ['-1.51', '-1.2', '-1', '1.3']],
    [{ type: 'string', minLength: 2, maxLength: 3 }, ['"ab"', '"äöü"', '"\\n\\""', '"a\\ud83d\\ude00"'], ['"a"', '"abcd"', '"a']],
    [{ type: 'string', pattern: '^\\w+@\\w+\\.com$' }, ['"a_b@c.com"'], ['"a@b.org"', '"a b@c.com"']],
    [{ type: 'string', pattern: '"' }, ['"say \\"hi"'], ['"say"']],
    [{ type: 'string', format: 'date' }, ['"2024-04-30"'], ['"2024-04-31"', '"2024-13-01"']],
    [{ const: { a: [1, 'x'] } }, ['{"a":[1,"x"]}'], ['{"a":[1,"y"]}']],
    [{ type: ['string', 'integer'], enum: ['a', 1, null] }, ['"a"', '1'], ['null', '2']],
    [{ type: 'array', items: { type: 'boolean' }, minItems: 1, maxItems: 2 }, ['[true]', '[true, false]'], ['[]', '[true, true, true]']],
    [
      { type: 'array', prefixItems: [{ type: 'null' }, { type: 'boolean' }], items: false },
      ['[]', '[null]', '[null, true]'],
      ['[true]', '[null, true, 1]'],
    ],
  ])('%j', (schema, valid, invalid) => {
    const grammar = strict(schema);
    for (const text of valid) expect(matches(grammar, text), text).toBe(true);
    for (const text of invalid) expect(matches(grammar, text), text).toBe(false);
  });
});

describe('a schema that cannot be enforced', () => {
  function refusal(schema: unknown): EngineError {
    try {
      strict(schema);
    } catch (error) {
      if (error instanceof EngineError) return error;
      throw error;
    }
    throw new Error(`${JSON.stringify(schema)} was not refused.`);
  }

  it.each([
    ['not', { not: { type: 'string' } }],
    ['if', { type: 'object', if: { required: ['a'] } }],
    ['patternProperties', { type: 'object', patternProperties: { a: { type: 'string' } } }],
    ['uniqueItems', { type: 'array', uniqueItems: true }],
    ['contains', { type: 'array', contains: { type: 'string' } }],
    ['multipleOf', { type: 'number', multipleOf: 0.5 }],
    ['format', { type: 'string', format: 'idn-email' }],
    ['pattern', { type: 'string', pattern: '(?=a)b' }],
    ['maxLength', { type: 'string', pattern: '^a+$', maxLength: 3 }],
    ['oneOf', { oneOf: [{ type: 'integer' }, { type: 'number' }] }],
    ['$ref', { $ref: 'https://example.com/other.json' }],
    ['allOf', { allOf: [{ type: 'string', pattern: 'a' }, { pattern: 'b' }] }],
    ['minProperties', { type: 'object', minProperties: 2 }],
    ['dependentRequired', { type: 'object', properties: { a: true }, dependentRequired: { a: ['b'] } }],
  ])('names %s', (keyword, schema) => {
    const error = refusal({ type: 'object', properties: { inner: schema }, required: ['inner'] });
    expect(error.code).toBe('unsupported_parameter');
    expect(error.message).toContain(`"${keyword}" at #/properties/inner`);
    expect(error.param).toBe('grammar');
  });

  it.each([
    ['a reference to nothing', { $ref: '#/$defs/none' }, /\$ref/],
    ['a type that does not exist', { type: 'text' }, /type/],
    [
      'recursion without an exit',
      { $defs: { a: { type: 'object', properties: { a: { $ref: '#/$defs/a' } }, required: ['a'] } }, $ref: '#/$defs/a' },
      /without an exit/,
    ],
    ['a reference to itself', { $ref: '#' }, /without an exit/],
    ['bounds that exclude each other', { type: 'integer', minimum: 3, maximum: 2 }, /exclude each other/],
    [
      'a required property that is forbidden',
      { type: 'object', required: ['a'], additionalProperties: false, properties: { b: true } },
      /forbidden/,
    ],
    ['no schema at all', 'string', /a schema is an object/],
  ])('refuses %s', (_, schema, message) => {
    const error = refusal(schema);
    expect(error.code).toBe('invalid_request');
    expect(error.message).toMatch(message);
  });

  it('refuses what is nested too deeply or too large', () => {
    let deep: unknown = { type: 'null' };
    for (let level = 0; level < 500; level++) deep = { type: 'array', items: deep };
    expect(refusal(deep).message).toMatch(/nested/);
    const wide = Object.fromEntries(Array.from({ length: 30_000 }, (_, i) => [`p${i}`, { type: 'null' }]));
    expect(refusal({ type: 'object', properties: wide }).message).toMatch(/parts/);
  });

  it('leaves out what it cannot enforce when it is told to be lenient', () => {
    const grammar = compiled({
      kind: 'json_schema',
      strict: false,
      schema: { type: 'object', properties: { a: { not: {} }, b: { type: 'integer' } }, required: ['a', 'b'] },
    });
    expect(matches(grammar, '{"a": [1], "b": 2}')).toBe(true);
    expect(matches(grammar, '{"a": [1], "b": "x"}')).toBe(false);
  });
});
