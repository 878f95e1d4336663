// Decides whether a conversation is among the share that a canary answers. Pure: the same conversation, however long it has grown, and
// the same canary always give the same answer.
import { createHash } from 'node:crypto';
import type { GenerateRequest } from '../../fleet/host.ts';

/** Characters of a prompt that is no chat which tell it from others. */
const BEGINNING = 1000;

/** Whether it falls into the first `share` of all conversations; `salt`: tells one canary from the next, so that not always the same try. */
export function isInShare({ prompt, caller }: Pick<GenerateRequest, 'prompt' | 'caller'>, salt: string, share: number): boolean {
  const hash = createHash('sha256');
  for (const part of [salt, caller?.tenant ?? '', beginningOf(prompt)]) hash.update(part).update('\0');
  return hash.digest().readUInt32BE(0) / 2 ** 32 < share;
}

/** What stays the same while a conversation grows: all up to the first question. */
function beginningOf(prompt: GenerateRequest['prompt']): string {
  if (prompt.kind === 'text') return prompt.text.slice(0, BEGINNING);
  if (prompt.kind === 'tokens') return prompt.tokens.slice(0, BEGINNING).join(' ');
  const question = prompt.messages.findIndex(({ role }) => role === 'user');
  return JSON.stringify(prompt.messages.slice(0, question === -1 ? prompt.messages.length : question + 1));
}
