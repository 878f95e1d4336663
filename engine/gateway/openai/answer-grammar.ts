// The fields that say what an answer must look like, under the names of OpenAI, vLLM and llama.cpp, and the grammar they ask for.
// Pure; whether a grammar can be followed is the runner's to say.
import { Type, type Static } from 'typebox';
import type { GrammarSpec } from '../../runner/protocol.ts';
import { invalid, unsupported } from './faults.ts';

const schema = Type.Unknown({ description: 'A JSON Schema, or its text.' });
const choices = Type.Array(Type.String(), { minItems: 1 });
const gbnf = Type.String({ minLength: 1, description: 'A grammar in llama.cpp’s GBNF.' });
const regex = Type.String({ description: 'An ECMA-262 pattern for the whole answer.' });

export const grammarFields = {
  response_format: Type.Optional(
    Type.Object(
      {
        type: Type.String({ description: '`text`, `json_object` or `json_schema`.' }),
        json_schema: Type.Optional(
          Type.Object({
            name: Type.Optional(Type.String()),
            schema: Type.Optional(Type.Unknown()),
            strict: Type.Optional(
              Type.Union([Type.Boolean(), Type.Null()], {
                description: 'A keyword that cannot be enforced is refused by name; it is passed over otherwise. Default false.',
              }),
            ),
          }),
        ),
      },
      { description: 'What the answer must look like. The next fields are other ways to say it; one of them at most.' },
    ),
  ),
  structured_outputs: Type.Optional(
    Type.Object(
      {
        json: Type.Optional(schema),
        json_object: Type.Optional(Type.Boolean()),
        regex: Type.Optional(regex),
        choice: Type.Optional(choices),
        grammar: Type.Optional(gbnf),
      },
      { description: 'One of these. vLLM’s name.' },
    ),
  ),
  guided_json: Type.Optional(schema),
  guided_regex: Type.Optional(regex),
  guided_choice: Type.Optional(choices),
  guided_grammar: Type.Optional(gbnf),
  grammar: Type.Optional(gbnf),
};

const fields = Type.Object(grammarFields);
export type GrammarFields = Static<typeof fields>;

/** What spreads into GenerateParams. */
export interface Constraint {
  readonly grammar?: GrammarSpec;
}

/** @throws EngineError `invalid_request` for two constraints at once, `unsupported_parameter` for an unknown type */
export function readConstraint(body: GrammarFields): Constraint {
  const { response_format: format, structured_outputs: outputs = {} } = body;
  const asked = [
    format === undefined ? null : readFormat({ ...format, ...format.json_schema, type: format.type }, 'response_format', 'json_schema.'),
    jsonSpec('structured_outputs.json', outputs.json),
    outputs.json_object === true ? ({ kind: 'json', field: 'structured_outputs.json_object' } as const) : null,
    regexSpec('structured_outputs.regex', outputs.regex),
    choiceSpec('structured_outputs.choice', outputs.choice),
    ebnfSpec('structured_outputs.grammar', outputs.grammar),
    jsonSpec('guided_json', body.guided_json),
    regexSpec('guided_regex', body.guided_regex),
    choiceSpec('guided_choice', body.guided_choice),
    ebnfSpec('guided_grammar', body.guided_grammar),
    ebnfSpec('grammar', body.grammar),
  ].filter((spec) => spec !== null);
  const [grammar, second] = asked;
  if (grammar === undefined) return {};
  if (second !== undefined) throw invalid(second.field, `${grammar.field} and ${second.field} both say what the answer must look like.`);
  return { grammar };
}

/** A format as OpenAI's APIs write it, flat; `place` is where the schema stands in `field`. Null: plain text. */
export function readFormat(
  format: { readonly type: string; readonly schema?: unknown; readonly strict?: boolean | null },
  field: string,
  place: string,
): GrammarSpec | null {
  switch (format.type) {
    case 'text':
      return null;
    case 'json_object':
      return { kind: 'json', field };
    case 'json_schema':
      if (format.schema === undefined) throw invalid(`${field}.${place}schema`, `${field}.${place}schema is required.`);
      return { kind: 'json_schema', field: `${field}.${place}schema`, schema: format.schema, strict: format.strict === true };
    default:
      throw unsupported(`${field}.type`, `${field}.type: ${JSON.stringify(format.type)} is none of text, json_object and json_schema.`);
  }
}

function jsonSpec(field: string, value: unknown): GrammarSpec | null {
  return value === undefined || value === null ? null : { kind: 'json_schema', field, schema: parsed(field, value), strict: true };
}

function parsed(field: string, value: unknown): unknown {
  if (typeof value !== 'string') return value;
  try {
    return JSON.parse(value);
  } catch {
    throw invalid(field, `${field} is no JSON.`);
  }
}

const regexSpec = (field: string, pattern: string | undefined): GrammarSpec | null =>
  pattern === undefined ? null : { kind: 'regex', field, pattern };
const choiceSpec = (field: string, list: readonly string[] | undefined): GrammarSpec | null =>
  list === undefined ? null : { kind: 'choice', field, choices: list };
const ebnfSpec = (field: string, source: string | undefined): GrammarSpec | null =>
  source === undefined ? null : { kind: 'ebnf', field, source };
