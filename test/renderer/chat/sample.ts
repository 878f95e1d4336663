// Turns and conversations with named defaults, and a store that lasts as long as a test.
import { newAnswer, type Answer } from '../../../renderer/src/chat/answer.ts';
import { addTurn, matches, newConversation, settle, type Conversation, type Turn } from '../../../renderer/src/chat/conversation.ts';
import { headOf, type ConversationStore } from '../../../renderer/src/chat/conversation-store.ts';

export const anAnswer = (change: Partial<Answer> = {}): Answer => ({ ...newAnswer('alpha', 0), text: 'yes', state: 'done', ...change });

export const aTurn = (id: string, change: Partial<Turn> = {}): Turn => ({
  id,
  parentId: null,
  question: `question ${id}`,
  attachments: [],
  answers: [anAnswer({ text: `answer ${id}` })],
  ...change,
});

/** Turns are added in their order; each is shown as it comes. */
export const aConversation = (turns: readonly Turn[] = [], change: Partial<Conversation> = {}): Conversation =>
  turns.reduce((all, turn) => addTurn(all, turn, 1), { ...newConversation('c', 0), ...change });

export class MemoryStore implements ConversationStore {
  readonly kept = new Map<string, Conversation>();
  /** Thrown by every method while it is set. */
  fault: Error | null = null;

  async list() {
    return this.#all()
      .map(headOf)
      .sort((a, b) => b.updatedAtMs - a.updatedAtMs);
  }

  async search(words: string) {
    return new Set(
      this.#all()
        .filter((each) => matches(each, words))
        .map(({ id }) => id),
    );
  }

  async load(id: string) {
    const found = this.#all().find((each) => each.id === id);
    return found === undefined ? undefined : settle(structuredClone(found));
  }

  async save(conversation: Conversation) {
    this.#all();
    this.kept.set(conversation.id, structuredClone(conversation));
  }

  async remove(id: string) {
    this.#all();
    this.kept.delete(id);
  }

  #all(): readonly Conversation[] {
    if (this.fault !== null) throw this.fault;
    return [...this.kept.values()];
  }
}
