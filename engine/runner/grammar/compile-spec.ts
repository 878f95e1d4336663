// From what a request asks of its answers to a machine that follows it. Pure; runs in the grammar thread.
import { EngineError, assertNever } from '../../errors.ts';
import type { GrammarSpec } from '../protocol.ts';
import { findFault, pruned, type GrammarFault } from './analyse.ts';
import { compileAutomaton, type Automaton } from './automaton.ts';
import { parseEbnf } from './ebnf.ts';
import { choice, text, type Grammar } from './grammar.ts';
import { ANY_OBJECT, jsonRules } from './json/json-text.ts';
import { compileJsonSchema } from './json/json-schema.ts';
import { parseRegex } from './regex.ts';
import { toolCallGrammar } from './tool-calls.ts';

/** Characters of a pattern, a grammar or all choices. */
const MAX_SOURCE = 64 * 1024;

/** @throws EngineError `invalid_request`, `unsupported_parameter`, `grammar_too_complex`, each naming the request's field */
export function compileSpec(spec: GrammarSpec): Automaton {
  try {
    const grammar = grammarOf(spec);
    const fault = findFault(grammar);
    if (fault !== null) throw new EngineError('invalid_request', describeFault(fault, spec));
    return compileAutomaton(pruned(grammar));
  } catch (error) {
    throw named(error, spec.field);
  }
}

function grammarOf(spec: GrammarSpec): Grammar {
  switch (spec.kind) {
    case 'json':
      return { root: ANY_OBJECT, rules: jsonRules() };
    case 'json_schema':
      return compileJsonSchema(spec.schema, { isLenient: !spec.strict });
    case 'regex':
      checkLength(spec.pattern.length);
      return { root: parseRegex(spec.pattern, { whole: true }), rules: new Map() };
    case 'ebnf':
      checkLength(spec.source.length);
      return parseEbnf(spec.source);
    case 'choice':
      checkLength(spec.choices.reduce((sum, { length }) => sum + length, 0));
      return { root: choice(...spec.choices.map(text)), rules: new Map() };
    case 'tool_calls':
      return toolCallGrammar(spec);
    default:
      return assertNever(spec);
  }
}

function checkLength(length: number): void {
  if (length > MAX_SOURCE)
    throw new EngineError('grammar_too_complex', `The grammar has ${length} characters; at most ${MAX_SOURCE} are followed.`);
}

function describeFault(fault: GrammarFault, { kind }: GrammarSpec): string {
  switch (fault.kind) {
    case 'undefined':
      return `The grammar names the rule ${JSON.stringify(fault.rule)}, which it does not define.`;
    case 'left_recursive':
      return kind === 'ebnf'
        ? `The grammar's rule ${JSON.stringify(fault.rule)} begins with itself; write it as a repeat, or with the recursion at the end.`
        : `The schema's "$ref" at ${fault.rule} leads back to itself before anything is written.`;
    case 'endless':
      return kind === 'json_schema' || kind === 'tool_calls'
        ? 'No finite value is valid for the schema: a "$ref" recurses without an exit, a required property is forbidden, or bounds exclude each other.'
        : 'Nothing finite matches the grammar.';
  }
}

function named(error: unknown, param: string): EngineError {
  if (error instanceof EngineError) return new EngineError(error.code, error.message, { param, cause: error });
  // A stack that overflows has met what is nested too deeply.
  const reason = error instanceof Error ? error.message : String(error);
  return new EngineError('grammar_too_complex', `The grammar could not be compiled: ${reason}`, { param, cause: error });
}
