// Reads from a request what the router goes by: its text, its size, and what its beginning has in common with others. Pure.
import type { GenerateRequest } from '../fleet/host.ts';
import type { PromptInput } from '../runner/protocol.ts';
import type { PromptFacts } from './complexity/features.ts';

/** English text has about four characters a token; a template adds a few to each message. */
const CHARS_PER_TOKEN = 4;
const TOKENS_PER_MESSAGE = 6;
/** An answer of no stated length, before any was measured. */
const USUAL_ANSWER_TOKENS = 256;
const PREFIX_CHARS = 256;

export function promptFacts({ prompt }: Pick<GenerateRequest, 'prompt'>): PromptFacts {
  if (prompt.kind !== 'chat') return { text: prompt.kind === 'text' ? prompt.text : '', turns: 0, tools: 0, schema: false };
  const { messages, tools } = prompt;
  const last = messages.findLast(({ role }) => role === 'user') ?? messages.at(-1);
  const turns = messages.filter(({ role }) => role === 'user' || role === 'assistant').length;
  return { text: last?.content ?? '', turns: Math.max(0, turns - 1), tools: tools?.length ?? 0, schema: false };
}

/** About how many tokens the prompt has. */
export function foreseenPromptTokens(prompt: PromptInput): number {
  if (prompt.kind === 'tokens') return prompt.tokens.length;
  if (prompt.kind === 'text') return Math.ceil(prompt.text.length / CHARS_PER_TOKEN);
  const chars = prompt.messages.reduce((sum, { content }) => sum + content.length, 0);
  return Math.ceil(chars / CHARS_PER_TOKEN) + prompt.messages.length * TOKENS_PER_MESSAGE;
}

/** About how many tokens the answers have. `meanTokens`: of earlier answers; null: none yet. */
export function foreseenAnswerTokens({ maxTokens, n }: GenerateRequest['params'], meanTokens: number | null): number {
  return n * Math.min(maxTokens ?? Infinity, meanTokens ?? USUAL_ANSWER_TOKENS);
}

/** FNV-1a over the beginning of the prompt and the target's name: the target with the largest keeps prompts that begin alike. */
export function affinityOf(prompt: PromptInput, target: string): number {
  const start =
    prompt.kind === 'chat' ? (prompt.messages[0]?.content ?? '') : prompt.kind === 'text' ? prompt.text : prompt.tokens.slice(0, 64).join();
  const text = `${target}\n${start.slice(0, PREFIX_CHARS)}`;
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash >>> 0;
}
