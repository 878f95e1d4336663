// Documented fields of `/v1/responses` that this server cannot honour. Pure.
import { emptyList, hasOnly, never, NO_TOOLS, oneOf, type Refusals } from '../openai/refusals.ts';

/** The format is read elsewhere. */
const isOfUsualLength = (value: unknown): boolean => {
  if (typeof value !== 'object' || value === null) return false;
  const { format: _, verbosity, ...others } = value as Readonly<Record<string, unknown>>;
  return (verbosity === undefined || verbosity === 'medium') && Object.keys(others).length === 0;
};

export const RESPONSE_REFUSALS: Refusals = {
  tools: { harmless: emptyList, why: NO_TOOLS },
  tool_choice: { harmless: oneOf('none', 'auto'), why: NO_TOOLS },
  text: { harmless: isOfUsualLength, why: 'beside the format only the verbosity "medium" is supported' },
  reasoning: {
    harmless: hasOnly({ effort: ['none'], summary: ['auto'], generate_summary: ['auto'] }),
    why: 'reasoning cannot be steered yet',
  },
  conversation: { harmless: never, why: 'conversations are not kept; continue one with previous_response_id' },
  prompt: { harmless: never, why: 'there are no stored prompts' },
  truncation: { harmless: oneOf('disabled'), why: 'a conversation longer than the context is refused, not cut' },
  context_management: { harmless: emptyList, why: 'conversations are not compacted' },
  moderation: { harmless: never, why: 'there is no moderation' },
  image: { harmless: never, why: 'answers are text only' },
  prompt_cache_options: { harmless: hasOnly({ mode: ['implicit'] }), why: 'prefixes are always reused where they can be' },
  service_tier: { harmless: oneOf('auto', 'default'), why: 'there is one service tier' },
};
