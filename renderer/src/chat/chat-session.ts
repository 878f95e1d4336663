// The chat's commands, and the answers that are under way. Lives outside of React, so that an answer goes on while the reader
// looks at another screen or another conversation.
import { newAnswer, type AnswerChange } from './answer.ts';
import { addTurn, changeAt, newConversation, pathBefore, pathOf, showTurn } from './conversation.ts';
import type { AnswerPlace, Conversation, Turn } from './conversation.ts';
import { ConversationDesk, type DeskOptions } from './conversation-desk.ts';
import { followAnswer, type AnswerSource } from './follow-answer.ts';
import { toMessages } from './messages.ts';

export type Question = Pick<Turn, 'question' | 'attachments'>;
export type ConversationSettings = Partial<Pick<Conversation, 'systemPrompt' | 'sampling' | 'models'>>;

export interface ChatSessionOptions extends DeskOptions {
  readonly source: AnswerSource;
}

interface Run {
  readonly conversationId: string;
  readonly place: AnswerPlace;
  readonly abort: AbortController;
}

export class ChatSession {
  readonly #options: ChatSessionOptions;
  readonly #runs = new Set<Run>();
  readonly desk: ConversationDesk;

  constructor(options: ChatSessionOptions) {
    this.#options = options;
    this.desk = new ConversationDesk(options);
  }

  /** Begins an empty conversation with the settings of the one that is shown. */
  create(): void {
    const { newId, now } = this.#options;
    this.#switchTo(newConversation(newId(), now(), this.desk.current));
  }

  /** False when it is not kept any more. */
  async open(id: string): Promise<boolean> {
    const found = await this.desk.find(id);
    if (found !== undefined) this.#switchTo(found);
    return found !== undefined;
  }

  configure(settings: ConversationSettings): void {
    this.desk.change(this.desk.current.id, (conversation) => ({ ...conversation, ...settings }));
  }

  /** An empty name brings the first question back as title. */
  async rename(id: string, text: string): Promise<void> {
    const name = text.trim() === '' ? null : text.trim();
    if (this.desk.isOpen(id)) return this.desk.change(id, (conversation) => ({ ...conversation, name }));
    const found = await this.desk.find(id);
    if (found !== undefined) await this.desk.save({ ...found, name });
  }

  /** Ends its answers and removes it. What is returned brings it back; null when there was nothing to remove. */
  async remove(id: string): Promise<(() => Promise<void>) | null> {
    this.stop(id);
    const removed = await this.desk.find(id);
    if (removed === undefined) return null;
    if (id === this.desk.current.id) this.create();
    await this.desk.remove(id);
    return async () => {
      await this.desk.save(removed);
      await this.open(id);
    };
  }

  /** Asks at the end of what is shown. */
  ask(question: Question, models: readonly string[]): void {
    this.#begin(question, pathOf(this.desk.current).at(-1)?.id ?? null, models);
  }

  /** Asks something else in a turn's place; the turn and all after it stay as a branch. */
  edit(turn: Turn, question: Question, models: readonly string[]): void {
    this.#begin(question, turn.parentId, models);
  }

  /** Asks one model again: in place where nothing came, else on a branch that keeps the other columns. */
  again({ turnId, column }: AnswerPlace): void {
    const turn = this.desk.current.turns.find((each) => each.id === turnId);
    const answer = turn?.answers[column];
    if (turn === undefined || answer === undefined) return;
    const nowMs = this.#options.now();
    const id = answer.text === '' ? turn.id : this.#options.newId();
    const next = { ...turn, id, answers: turn.answers.with(column, newAnswer(answer.modelAsked, nowMs)) };
    this.desk.change(this.desk.current.id, (conversation) => {
      if (id !== turn.id) return addTurn(conversation, next, nowMs);
      return { ...conversation, turns: conversation.turns.map((each) => (each.id === id ? next : each)) };
    });
    this.#follow({ turnId: id, column });
  }

  show(turn: Turn): void {
    this.desk.change(this.desk.current.id, (conversation) => showTurn(conversation, turn));
  }

  /** Ends the answers that come into a conversation; what came is kept. */
  stop(id: string = this.desk.current.id): void {
    for (const { conversationId, place, abort } of this.#runs) {
      if (conversationId !== id || abort.signal.aborted) continue;
      abort.abort();
      this.#change(id, place, { kind: 'stop' });
    }
  }

  #begin(question: Question, parentId: string | null, models: readonly string[]): void {
    const nowMs = this.#options.now();
    const turn: Turn = { ...question, id: this.#options.newId(), parentId, answers: models.map((model) => newAnswer(model, nowMs)) };
    this.desk.change(this.desk.current.id, (conversation) => addTurn({ ...conversation, models }, turn, nowMs));
    models.forEach((_, column) => this.#follow({ turnId: turn.id, column }));
  }

  #follow(place: AnswerPlace): void {
    const { id: conversationId, turns, systemPrompt, sampling } = this.desk.current;
    const asked = turns.find(({ id }) => id === place.turnId);
    const model = asked?.answers[place.column]?.modelAsked;
    if (asked === undefined || model === undefined) return;
    const before = pathBefore(this.desk.current, place.turnId);
    const messages = toMessages({ systemPrompt, before, asked, column: place.column });
    const run: Run = { conversationId, place, abort: new AbortController() };
    this.#runs.add(run);
    void this.#finish(run, { model, messages, sampling });
  }

  async #finish(run: Run, question: Parameters<AnswerSource['stream']>[0]): Promise<void> {
    const { conversationId, place, abort } = run;
    const { source, now } = this.#options;
    // A stopped answer may already have been asked for anew in the same place.
    const onChange = (change: AnswerChange): void => {
      if (change.kind === 'cost' || !abort.signal.aborted) this.#change(conversationId, place, change);
    };
    await followAnswer({ source, question, signal: abort.signal, now, onChange });
    this.#runs.delete(run);
    await this.#releaseIdle(conversationId);
  }

  #change(id: string, place: AnswerPlace, change: AnswerChange): void {
    this.desk.change(id, (conversation) => changeAt(conversation, place, change), change.kind === 'part' ? 'later' : 'now');
  }

  #switchTo(conversation: Conversation): void {
    const left = this.desk.current.id;
    this.desk.show(conversation);
    void this.#releaseIdle(left);
  }

  async #releaseIdle(id: string): Promise<void> {
    if ([...this.#runs].some(({ conversationId }) => conversationId === id)) return;
    await this.desk.release(id);
  }
}
