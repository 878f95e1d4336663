// What a model is told: the system prompt, the turns before, the new question. Pure.
import { withAttachments } from './attachments.ts';
import type { Turn } from './conversation.ts';

export interface ChatMessage {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string;
}

interface Asking {
  readonly systemPrompt: string;
  readonly before: readonly Turn[];
  readonly asked: Pick<Turn, 'question' | 'attachments'>;
  /** Whose answers the model takes for its own; where a turn has no such column, its first. */
  readonly column: number;
}

/** Turns that got no answer are left out; half an answer that the reader sees is told. */
export function toMessages({ systemPrompt, before, asked, column }: Asking): readonly ChatMessage[] {
  const past = before.flatMap((turn): ChatMessage[] => {
    const answer = turn.answers[column] ?? turn.answers[0];
    if (answer === undefined || answer.text === '') return [];
    return [userMessage(turn), { role: 'assistant', content: answer.text }];
  });
  const system: ChatMessage[] = systemPrompt.trim() === '' ? [] : [{ role: 'system', content: systemPrompt }];
  return [...system, ...past, userMessage(asked)];
}

function userMessage({ question, attachments }: Pick<Turn, 'question' | 'attachments'>): ChatMessage {
  return { role: 'user', content: withAttachments(question, attachments) };
}
