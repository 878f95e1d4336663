// Owns the conversations that this browser keeps (IndexedDB): a list to choose from, and each as a whole.
import { openDB, type DBSchema, type IDBPDatabase } from 'idb';
import { matches, settle, titleOf, type Conversation } from './conversation.ts';

/** What the list shows of a conversation. */
export interface ConversationHead {
  readonly id: string;
  readonly title: string;
  readonly updatedAtMs: number;
}

export interface ConversationStore {
  /** Newest first. */
  list(): Promise<readonly ConversationHead[]>;
  /** Ids of those that hold every word. */
  search(words: string): Promise<ReadonlySet<string>>;
  load(id: string): Promise<Conversation | undefined>;
  save(conversation: Conversation): Promise<void>;
  remove(id: string): Promise<void>;
}

export const headOf = (conversation: Conversation): ConversationHead => ({
  id: conversation.id,
  title: titleOf(conversation),
  updatedAtMs: conversation.updatedAtMs,
});

interface ChatSchema extends DBSchema {
  conversations: { key: string; value: Conversation };
  heads: { key: string; value: ConversationHead };
}

const DATABASE = 'millrace-chat';
const VERSION = 1;

/** Opens the database at the first use; its methods reject when the browser keeps nothing. */
export function openConversationStore(): ConversationStore {
  let opening: Promise<IDBPDatabase<ChatSchema>> | null = null;
  const database = (): Promise<IDBPDatabase<ChatSchema>> => {
    opening ??= openDatabase(() => (opening = null));
    return opening;
  };
  return {
    list: async () => (await (await database()).getAll('heads')).sort((a, b) => b.updatedAtMs - a.updatedAtMs),
    search: async (words) => searchAll(await database(), words),
    load: async (id) => {
      const found = await (await database()).get('conversations', id);
      return found === undefined ? undefined : settle(found);
    },
    save: async (conversation) => saveBoth(await database(), conversation),
    remove: async (id) => removeBoth(await database(), id),
  };
}

/** `onLost`: the connection is gone, and the next use has to open a new one. */
function openDatabase(onLost: () => void): Promise<IDBPDatabase<ChatSchema>> {
  const opening = openDB<ChatSchema>(DATABASE, VERSION, {
    upgrade(database) {
      database.createObjectStore('conversations', { keyPath: 'id' });
      database.createObjectStore('heads', { keyPath: 'id' });
    },
    // A newer page in another tab wants to change the database: let go of it.
    blocking: (_current, _wanted, event) => {
      (event.target as IDBDatabase).close();
      onLost();
    },
    terminated: onLost,
  });
  opening.catch(onLost);
  return opening;
}

async function searchAll(database: IDBPDatabase<ChatSchema>, words: string): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  const { store } = database.transaction('conversations');
  for (let cursor = await store.openCursor(); cursor !== null; cursor = await cursor.continue()) {
    if (matches(cursor.value, words)) found.add(cursor.key);
  }
  return found;
}

async function saveBoth(database: IDBPDatabase<ChatSchema>, conversation: Conversation): Promise<void> {
  const change = database.transaction(['conversations', 'heads'], 'readwrite');
  await Promise.all([
    change.objectStore('conversations').put(conversation),
    change.objectStore('heads').put(headOf(conversation)),
    change.done,
  ]);
}

async function removeBoth(database: IDBPDatabase<ChatSchema>, id: string): Promise<void> {
  const change = database.transaction(['conversations', 'heads'], 'readwrite');
  await Promise.all([change.objectStore('conversations').delete(id), change.objectStore('heads').delete(id), change.done]);
}
