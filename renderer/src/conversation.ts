// The conversation as data: what was asked, what was answered, and how fast. Pure: times come with the actions.
import type { ChatMessage, ChatPart } from './chat-stream.ts';

export interface Turn {
  readonly question: string;
  readonly answer: string;
  readonly model: string;
  readonly state: 'waiting' | 'streaming' | 'done' | 'stopped' | 'failed';
  readonly error: string | null;
  readonly askedAtMs: number;
  readonly firstAtMs: number | null;
  readonly lastAtMs: number | null;
  /** From the engine's count; null until the answer is whole. */
  readonly tokens: number | null;
  readonly finishReason: string | null;
}

export type Conversation = readonly Turn[];

export type Action =
  | { readonly kind: 'ask'; readonly question: string; readonly model: string; readonly nowMs: number }
  | { readonly kind: 'part'; readonly part: ChatPart; readonly nowMs: number }
  | { readonly kind: 'end' }
  | { readonly kind: 'stop' }
  | { readonly kind: 'fail'; readonly message: string }
  | { readonly kind: 'clear' };

export function converse(turns: Conversation, action: Action): Conversation {
  if (action.kind === 'clear') return [];
  if (action.kind === 'ask') return [...turns, newTurn(action)];
  const last = turns.at(-1);
  return last === undefined || !isOpen(last) ? turns : [...turns.slice(0, -1), change(last, action)];
}

export const isOpen = (turn: Turn | undefined): boolean => turn?.state === 'waiting' || turn?.state === 'streaming';

function newTurn({ question, model, nowMs }: Extract<Action, { kind: 'ask' }>): Turn {
  const nothing = { error: null, firstAtMs: null, lastAtMs: null, tokens: null, finishReason: null };
  return { question, answer: '', model, state: 'waiting', askedAtMs: nowMs, ...nothing };
}

function change(turn: Turn, action: Exclude<Action, { kind: 'ask' | 'clear' }>): Turn {
  if (action.kind === 'part') return addPart(turn, action.part, action.nowMs);
  if (action.kind === 'end') return { ...turn, state: 'done' };
  return action.kind === 'stop' ? { ...turn, state: 'stopped' } : { ...turn, state: 'failed', error: action.message };
}

function addPart(turn: Turn, part: ChatPart, nowMs: number): Turn {
  if (part.kind === 'usage') return { ...turn, tokens: part.completionTokens };
  if (part.kind === 'finish') return { ...turn, finishReason: part.reason };
  return { ...turn, state: 'streaming', answer: turn.answer + part.text, firstAtMs: turn.firstAtMs ?? nowMs, lastAtMs: nowMs };
}

/** What the model is told: whole turns only, then the new question. */
export function toMessages(turns: Conversation, question: string): ChatMessage[] {
  const told = turns.filter(({ state, answer }) => state !== 'failed' && answer !== '');
  const past = told.flatMap(({ question: asked, answer }): ChatMessage[] => [
    { role: 'user', content: asked },
    { role: 'assistant', content: answer },
  ]);
  return [...past, { role: 'user', content: question }];
}

export interface Speed {
  readonly ttftMs: number;
  /** Of the tokens after the first; null until the answer is whole, or when it has one token. */
  readonly tokensPerSecond: number | null;
}

export function speedOf(turn: Turn): Speed | null {
  const { askedAtMs, firstAtMs, lastAtMs, tokens } = turn;
  if (firstAtMs === null || lastAtMs === null) return null;
  const measurable = tokens !== null && tokens > 1 && lastAtMs > firstAtMs;
  return { ttftMs: firstAtMs - askedAtMs, tokensPerSecond: measurable ? (1000 * (tokens - 1)) / (lastAtMs - firstAtMs) : null };
}
