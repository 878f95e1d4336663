// Owns which conversations are open, which of them is shown, the list of all that are kept, and when each is written.
// Knows nothing about models or answers.
import { newConversation, type Conversation } from './conversation.ts';
import { headOf, type ConversationHead, type ConversationStore } from './conversation-store.ts';

export interface ChatState {
  /** Newest first; null before the store has answered. */
  readonly heads: readonly ConversationHead[] | null;
  readonly current: Conversation;
  /** Why conversations are not kept; null while they are. */
  readonly storeFault: string | null;
}

export interface DeskOptions {
  readonly store: ConversationStore;
  /** Milliseconds since 1970, with fractions. */
  readonly now: () => number;
  readonly newId: () => string;
}

/** `later`: tokens come, and drawing and keeping may wait a moment. */
export type Pace = 'now' | 'later';

/** Screens need not draw more often than this while tokens come. */
const DRAW_MS = 50;
/** How much of a running answer a crash of the browser may cost. */
const SAVE_MS = 1_000;

type Timer = ReturnType<typeof setTimeout>;

export class ConversationDesk {
  readonly #options: DeskOptions;
  readonly #listeners = new Set<() => void>();
  /** By id; the one that is shown is among them. */
  readonly #open = new Map<string, Conversation>();
  readonly #saves = new Map<string, Timer>();
  #drawing: Timer | null = null;
  #shownId: string;
  #state: ChatState;

  constructor(options: DeskOptions) {
    this.#options = options;
    const current = newConversation(options.newId(), options.now());
    this.#open.set(current.id, current);
    this.#shownId = current.id;
    this.#state = { heads: null, current, storeFault: null };
  }

  readonly read = (): ChatState => this.#state;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  get current(): Conversation {
    return this.#open.get(this.#shownId) ?? this.#state.current;
  }

  /** Reads the list. */
  async readHeads(): Promise<void> {
    const heads = await this.#attempt(() => this.#options.store.list());
    this.#update({ heads: heads ?? [] });
  }

  isOpen(id: string): boolean {
    return this.#open.has(id);
  }

  /** Undefined when it is neither open nor kept. */
  async find(id: string): Promise<Conversation | undefined> {
    return this.#open.get(id) ?? (await this.#attempt(() => this.#options.store.load(id)));
  }

  /** Ids of those that hold every word; none when the store fails. */
  async search(words: string): Promise<ReadonlySet<string>> {
    return (await this.#attempt(() => this.#options.store.search(words))) ?? new Set();
  }

  /** Opens a conversation and shows it. */
  show(conversation: Conversation): void {
    this.#shownId = conversation.id;
    this.#open.set(conversation.id, conversation);
    this.#draw();
  }

  /** Changes an open conversation; one that is no longer open stays as it is. */
  change(id: string, change: (conversation: Conversation) => Conversation, pace: Pace = 'now'): void {
    const before = this.#open.get(id);
    if (before === undefined) return;
    const after = change(before);
    if (after === before) return;
    this.#open.set(id, after);
    if (pace === 'later') this.#drawing ??= setTimeout(() => this.#draw(), DRAW_MS);
    else this.#draw();
    // One in which nothing was said is not worth a place in the list.
    if (after.turns.length === 0) return;
    if (pace === 'now') void this.#saveNow(id);
    else if (!this.#saves.has(id))
      this.#saves.set(
        id,
        setTimeout(() => void this.#saveNow(id), SAVE_MS),
      );
  }

  /** Nothing happens in it any more: it is closed unless it is shown. */
  async release(id: string): Promise<void> {
    if (this.#saves.has(id)) await this.#saveNow(id);
    if (id !== this.#shownId) this.#open.delete(id);
  }

  async remove(id: string): Promise<void> {
    this.#cancelSave(id);
    this.#open.delete(id);
    this.#update({ heads: this.#state.heads?.filter((head) => head.id !== id) ?? null });
    await this.#attempt(() => this.#options.store.remove(id));
  }

  async save(conversation: Conversation): Promise<void> {
    const head = headOf(conversation);
    const others = (this.#state.heads ?? []).filter(({ id }) => id !== head.id);
    const heads = [...others, head].sort((a, b) => b.updatedAtMs - a.updatedAtMs);
    if (!sameHeads(this.#state.heads, heads)) this.#update({ heads });
    await this.#attempt(() => this.#options.store.save(conversation));
  }

  /** Keeps at once what waits to be kept: the page may go away. */
  async flush(): Promise<void> {
    await Promise.all([...this.#saves.keys()].map((id) => this.#saveNow(id)));
  }

  async #saveNow(id: string): Promise<void> {
    this.#cancelSave(id);
    const conversation = this.#open.get(id);
    if (conversation !== undefined) await this.save(conversation);
  }

  #cancelSave(id: string): void {
    clearTimeout(this.#saves.get(id));
    this.#saves.delete(id);
  }

  /** A store that fails is said on the screen; chatting goes on without it. */
  async #attempt<T>(work: () => Promise<T>): Promise<T | undefined> {
    try {
      const result = await work();
      if (this.#state.storeFault !== null) this.#update({ storeFault: null });
      return result;
    } catch (error) {
      this.#update({ storeFault: error instanceof Error ? error.message : String(error) });
      return undefined;
    }
  }

  #draw(): void {
    if (this.#drawing !== null) clearTimeout(this.#drawing);
    this.#drawing = null;
    this.#update({ current: this.current });
  }

  #update(change: Partial<ChatState>): void {
    this.#state = { ...this.#state, ...change };
    for (const listener of this.#listeners) listener();
  }
}

function sameHeads(a: readonly ConversationHead[] | null, b: readonly ConversationHead[]): boolean {
  return a?.length === b.length && b.every((head, at) => a[at]?.id === head.id && a[at].title === head.title);
}
