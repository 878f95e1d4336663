// The tools of a chat: their schema, the grammar that calls follow, and how tools, calls and results stand in the prompt.
// Calls are written as Hermes and Qwen do, whatever the model: the grammar sees to it. Pure.
import { Type, type Static } from 'typebox';
import type { GrammarSpec, TemplateMessage, ToolSyntax } from '../../runner/protocol.ts';
import { invalid, unsupported } from './faults.ts';

const tool = Type.Object({
  type: Type.String({ description: '`function`.' }),
  function: Type.Optional(
    Type.Object({
      name: Type.String({ pattern: '^[a-zA-Z0-9_-]{1,64}$' }),
      description: Type.Optional(Type.Union([Type.String(), Type.Null()])),
      parameters: Type.Optional(Type.Unknown({ description: 'JSON Schema of the arguments, which calls follow. Absent: none.' })),
      strict: Type.Optional(
        Type.Union([Type.Boolean(), Type.Null()], { description: 'A keyword that cannot be enforced is refused by name. Default false.' }),
      ),
    }),
  ),
});

export const toolFields = {
  tools: Type.Optional(Type.Array(tool, { maxItems: 128 })),
  tool_choice: Type.Optional(
    Type.Union(
      [
        Type.Enum(['none', 'auto', 'required']),
        Type.Object({ type: Type.String(), function: Type.Optional(Type.Object({ name: Type.String() })) }),
      ],
      { description: 'Whether the answer calls tools, or the one that it calls; enforced. Default auto.' },
    ),
  ),
  parallel_tool_calls: Type.Optional(Type.Boolean({ description: 'Whether an answer may hold several calls; enforced. Default true.' })),
};

const fields = Type.Object(toolFields);
export type ToolFields = Static<typeof fields>;

export const callField = Type.Array(
  Type.Object({
    id: Type.Optional(Type.String()),
    type: Type.Optional(Type.String()),
    function: Type.Optional(Type.Object({ name: Type.String(), arguments: Type.String() })),
  }),
);
type Calls = Static<typeof callField>;

export const TOOL_SYNTAX: ToolSyntax = {
  trigger: '<tool_call>',
  open: '',
  begin: '<tool_call>\n{"name": "',
  middle: '", "arguments": ',
  end: '}\n</tool_call>',
  separator: '\n',
  close: '',
};

const NO_ARGUMENTS = { type: 'object', properties: {}, additionalProperties: false };

export interface ToolAsk {
  /** As templates are given them. */
  readonly tools: readonly object[];
  readonly grammar: GrammarSpec;
}

/** Null: the answer calls none. @throws EngineError `unsupported_parameter`, `invalid_request` */
export function readTools({ tools = [], tool_choice: choice, parallel_tool_calls: several }: ToolFields): ToolAsk | null {
  const functions = tools.map(({ type, function: given }, at) => {
    if (type !== 'function') throw unsupported(`tools[${at}].type`, `A tool of type ${JSON.stringify(type)} is not supported.`);
    if (given === undefined) throw invalid(`tools[${at}].function`, `tools[${at}].function is required.`);
    return given;
  });
  if (choice === 'none') return null;
  const isFree = choice === undefined || choice === 'auto';
  if (functions.length === 0 && isFree) return null;
  const named = typeof choice === 'object' ? nameOf(choice) : null;
  const callable = functions.filter(({ name }) => named === null || name === named);
  if (callable.length === 0) throw invalid('tool_choice', 'tool_choice asks for a tool that is not among tools.');
  return {
    tools: functions.map(({ strict: _, ...given }) => ({
      type: 'function',
      function: { ...given, parameters: given.parameters ?? NO_ARGUMENTS },
    })),
    grammar: {
      field: 'tools',
      kind: 'tool_calls',
      syntax: TOOL_SYNTAX,
      tools: callable.map(({ name, parameters = NO_ARGUMENTS, strict }) => ({ name, parameters, strict: strict === true })),
      allowText: isFree,
      allowSeveral: several ?? true,
    },
  };
}

function nameOf({ type, function: named }: Exclude<ToolFields['tool_choice'], string | undefined>): string {
  if (type !== 'function') throw unsupported('tool_choice', `tool_choice of type ${JSON.stringify(type)} is not supported.`);
  if (named === undefined) throw invalid('tool_choice.function', 'tool_choice.function is required.');
  return named.name;
}

/** Whether a chat template shows tools and asks for calls in this syntax. */
export function knowsTools(template: string | null): boolean {
  return template !== null && template.includes('tools') && template.includes(TOOL_SYNTAX.trigger);
}

/** For templates that know no tools: they are told in the system message. */
export function withToolPrompt(messages: readonly TemplateMessage[], tools: readonly object[]): readonly TemplateMessage[] {
  const list = tools.map((one) => JSON.stringify(one)).join('\n');
  const [open, close] = ['<tool_call>', '</tool_call>'];
  const told =
    `You may call these tools, each given by its JSON Schema:\n${list}\n` +
    `To call one, write ${open}\n{"name": "TOOL", "arguments": {…}}\n${close} with the tool’s name and arguments. Results come back in <tool_response>.`;
  const [first, ...rest] = messages;
  if (first?.role === 'system') return [{ ...first, content: `${first.content}\n\n${told}` }, ...rest];
  return [{ role: 'system', content: told }, ...messages];
}

/** An assistant's earlier calls, as it wrote them. @throws EngineError `invalid_request`, `unsupported_parameter` */
export function callsText(calls: Calls, at: string): string {
  return calls.map((call, index) => callText(call, `${at}[${index}]`)).join(TOOL_SYNTAX.separator);
}

function callText({ type = 'function', function: called }: Calls[number], at: string): string {
  if (type !== 'function') throw unsupported(`${at}.type`, `A call of type ${JSON.stringify(type)} is not supported.`);
  if (called === undefined) throw invalid(`${at}.function`, `${at}.function is required.`);
  const { begin, middle, end } = TOOL_SYNTAX;
  return begin + JSON.stringify(called.name).slice(1, -1) + middle + (called.arguments.trim() || '{}') + end;
}

export const resultText = (content: string): string => `<tool_response>\n${content}\n</tool_response>`;
