// A conversation as data: a tree of turns in which one path is shown. Pure: ids and times come with the calls.
// Editing a question and asking again both add a sibling, so nothing that was said is lost.
import { changeAnswer, isOpen, type Answer, type AnswerChange } from './answer.ts';
import type { Attachment } from './attachments.ts';
import { PLAIN_SAMPLING, type Sampling } from './sampling.ts';

/** One question and its answers: one for each model that was asked, in the order of the columns. */
export interface Turn {
  readonly id: string;
  /** Null at the beginning of the conversation. */
  readonly parentId: string | null;
  readonly question: string;
  readonly attachments: readonly Attachment[];
  readonly answers: readonly Answer[];
}

export interface Conversation {
  readonly id: string;
  /** Null until the reader names it; the first question stands in. */
  readonly name: string | null;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
  readonly systemPrompt: string;
  readonly sampling: Sampling;
  /** One, or two side by side; empty until something is installed. */
  readonly models: readonly string[];
  /** In the order in which they were asked. */
  readonly turns: readonly Turn[];
  /** Under each parent (`ROOT` at the beginning) the turn that is shown; the newest where none is named. */
  readonly shown: Readonly<Record<string, string>>;
}

/** The place of one answer. */
export interface AnswerPlace {
  readonly turnId: string;
  readonly column: number;
}

const ROOT = '';
const keyOf = (parentId: string | null): string => parentId ?? ROOT;

export function newConversation(id: string, nowMs: number, from?: Conversation): Conversation {
  const settings = { systemPrompt: from?.systemPrompt ?? '', sampling: from?.sampling ?? PLAIN_SAMPLING, models: from?.models ?? [] };
  return { id, name: null, createdAtMs: nowMs, updatedAtMs: nowMs, ...settings, turns: [], shown: {} };
}

/** The turns that are shown, first to last. */
export function pathOf(conversation: Conversation): readonly Turn[] {
  const children = Map.groupBy(conversation.turns, ({ parentId }) => keyOf(parentId));
  const path: Turn[] = [];
  for (let key = ROOT; ;) {
    const options = children.get(key) ?? [];
    const turn = options.find(({ id }) => id === conversation.shown[key]) ?? options.at(-1);
    if (turn === undefined) return path;
    path.push(turn);
    key = turn.id;
  }
}

/** The turns up to `turnId`, which is not among them; all that are shown for null. */
export function pathBefore(conversation: Conversation, turnId: string | null): readonly Turn[] {
  const path = pathOf(conversation);
  const at = path.findIndex(({ id }) => id === turnId);
  return at === -1 ? path : path.slice(0, at);
}

/** The turns that could be shown in this one's place, itself included, oldest first. */
export function siblingsOf(conversation: Conversation, turn: Turn): readonly Turn[] {
  return conversation.turns.filter(({ parentId }) => parentId === turn.parentId);
}

/** Adds a turn at its place and shows it. */
export function addTurn(conversation: Conversation, turn: Turn, nowMs: number): Conversation {
  const shown = { ...conversation.shown, [keyOf(turn.parentId)]: turn.id };
  return { ...conversation, turns: [...conversation.turns, turn], shown, updatedAtMs: nowMs };
}

export function showTurn(conversation: Conversation, turn: Turn): Conversation {
  return { ...conversation, shown: { ...conversation.shown, [keyOf(turn.parentId)]: turn.id } };
}

/** The same conversation when nothing changes. */
export function changeAt(conversation: Conversation, { turnId, column }: AnswerPlace, change: AnswerChange): Conversation {
  const turn = conversation.turns.find(({ id }) => id === turnId);
  const answer = turn?.answers[column];
  if (turn === undefined || answer === undefined) return conversation;
  const changed = changeAnswer(answer, change);
  if (changed === answer) return conversation;
  const next = { ...turn, answers: turn.answers.with(column, changed) };
  return { ...conversation, turns: conversation.turns.map((each) => (each === turn ? next : each)) };
}

export const isBusy = (conversation: Conversation): boolean => conversation.turns.some(({ answers }) => answers.some(isOpen));

/** A conversation that was kept while answers came: nobody follows those any more. */
export function settle(conversation: Conversation): Conversation {
  if (!isBusy(conversation)) return conversation;
  const turns = conversation.turns.map((turn) => ({ ...turn, answers: turn.answers.map((each) => changeAnswer(each, { kind: 'stop' })) }));
  return { ...conversation, turns };
}

const TITLE_LENGTH = 60;

/** Its name, else the beginning of what was asked first. */
export function titleOf({ name, turns }: Conversation): string {
  const first = turns[0];
  const text = (name ?? first?.question ?? '').trim().replaceAll(/\s+/g, ' ') || (first?.attachments[0]?.name ?? '');
  if (text === '') return 'New conversation';
  return text.length > TITLE_LENGTH && name === null ? `${text.slice(0, TITLE_LENGTH - 1).trimEnd()}…` : text;
}

/** Whether every word of the search is in the title, a question or an answer. */
export function matches(conversation: Conversation, search: string): boolean {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return true;
  const said = conversation.turns.flatMap(({ question, answers }) => [question, ...answers.map(({ text }) => text)]);
  const text = [titleOf(conversation), ...said].join('\n').toLowerCase();
  return words.every((word) => text.includes(word));
}
