// Decides how a request is put to another target when an answer broke off after its beginning was sent. Pure.
import type { GenerateRequest } from '../fleet/host.ts';
import type { PromptInput } from '../runner/protocol.ts';

/** The request for the rest; null where it cannot be had: of several choices, of token prompts, under a grammar (it would begin anew), with log-probabilities, or with nothing left to say. */
export function continuationOf(request: GenerateRequest, said: string, saidTokens: number): GenerateRequest | null {
  const { params } = request;
  const left = params.maxTokens === null ? null : params.maxTokens - saidTokens;
  if (params.grammar !== undefined || params.n !== 1 || params.topLogprobs !== null || params.promptLogprobs || (left !== null && left < 1))
    return null;
  const prompt = promptWith(request.prompt, said);
  if (prompt === null) return null;
  // What a cache keeps is whole answers to what was asked.
  const { cache: _, ...rest } = request;
  return { ...rest, prompt, params: { ...params, maxTokens: left } };
}

function promptWith(prompt: PromptInput, said: string): PromptInput | null {
  if (prompt.kind === 'text') return { kind: 'text', text: prompt.text + said };
  if (prompt.kind === 'tokens') return null;
  return {
    ...prompt,
    messages: [...prompt.messages, { role: 'assistant', content: said }],
    templateOptions: { ...prompt.templateOptions, ...CONTINUES },
  };
}

/** Options of a chat template by which the last message is left open, under the names that vLLM and transformers use. */
export const CONTINUES = { add_generation_prompt: false, continue_final_message: true } as const;
