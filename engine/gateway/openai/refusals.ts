// Documented fields that this server cannot honour: which values of them change nothing, and why the others are refused.
// Pure; a field that is in neither a schema nor this table is unknown, and ignored.
import { unsupported } from './faults.ts';

export interface Refusal {
  /** Whether this value asks for nothing that the server would not do anyway. */
  readonly harmless: (value: unknown) => boolean;
  readonly why: string;
}

export type Refusals = Readonly<Record<string, Refusal>>;

export const never = (): boolean => false;
export const emptyList = (value: unknown): boolean => Array.isArray(value) && value.length === 0;
export const oneOf =
  (...values: readonly unknown[]) =>
  (value: unknown): boolean =>
    values.includes(value);

/** Objects whose fields all have one of these values; a field of none is not harmless. */
export const hasOnly =
  (values: Readonly<Record<string, readonly unknown[]>>) =>
  (value: unknown): boolean =>
    typeof value === 'object' && value !== null && Object.entries(value).every(([field, one]) => values[field]?.includes(one) === true);

export const NO_TOOLS = 'tool calls are not supported yet';

export const CHAT_REFUSALS: Refusals = {
  functions: { harmless: emptyList, why: 'use tools' },
  function_call: { harmless: oneOf('none', 'auto'), why: 'use tool_choice' },
  modalities: { harmless: (value) => JSON.stringify(value) === '["text"]', why: 'answers are text only' },
  audio: { harmless: never, why: 'answers are text only' },
  prediction: { harmless: never, why: 'predicted outputs are not supported' },
  web_search_options: { harmless: never, why: 'this server searches nothing' },
  reasoning_effort: { harmless: oneOf('none'), why: 'reasoning cannot be steered yet' },
  verbosity: {
    harmless: oneOf('medium'),
    why: 'the length of answers cannot be steered; say it in the prompt or set max_completion_tokens',
  },
  service_tier: { harmless: oneOf('auto', 'default'), why: 'there is one service tier' },
};

export const COMPLETION_REFUSALS: Refusals = {
  suffix: { harmless: oneOf(''), why: 'inserting before a suffix is not supported' },
};

/** @throws EngineError `unsupported_parameter` naming the first field that would not be honoured */
export function refuseUnsupported(body: Readonly<Record<string, unknown>>, refusals: Refusals): void {
  for (const [field, refusal] of Object.entries(refusals)) {
    const value = body[field];
    if (value === undefined || refusal.harmless(value)) continue;
    throw unsupported(field, `${field} is not supported with this value: ${refusal.why}.`);
  }
}

/** The table in words, for the API's reference. */
export function describeRefusals(refusals: Refusals): string {
  const lines = Object.entries(refusals).map(([field, { why }]) => `- \`${field}\`: ${why}`);
  return `Refused by name, unless the value asks for nothing:\n${lines.join('\n')}`;
}
