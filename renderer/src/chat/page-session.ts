// The one chat session of this page, over the real engine and this browser's storage. Made when the chat is first opened; kept
// while other screens are shown, so that an answer goes on.
import { ChatSession } from './chat-session.ts';
import { streamChat } from './chat-stream.ts';
import { openConversationStore } from './conversation-store.ts';
import { findCost } from './request-cost.ts';

const SHOWN_KEY = 'millrace-chat';

/** Works where `crypto.randomUUID` does not: on a page that came over plain HTTP from another machine. */
const newId = (): string => [...crypto.getRandomValues(new Uint32Array(4))].map((part) => part.toString(36).padStart(7, '0')).join('');

export const pageSession = new ChatSession({
  store: openConversationStore(),
  source: { stream: streamChat, cost: findCost },
  now: () => performance.timeOrigin + performance.now(),
  newId,
});

/** Reads the list and, to resume, shows the conversation that was shown last. Once; later calls do nothing. */
export async function startSession(session: ChatSession, resume: boolean): Promise<void> {
  const { desk } = session;
  if (desk.read().heads !== null) return;
  // Read first: the screen remembers what it shows as soon as the list is there.
  const id = localStorage.getItem(SHOWN_KEY);
  await desk.readHeads();
  const known = desk.read().heads?.some((head) => head.id === id) ?? false;
  if (resume && id !== null && known && desk.current.turns.length === 0) await session.open(id);
}

/** Remembers over a reload which conversation is shown; null: a new one. */
export function rememberShown(id: string | null): void {
  if (id === null) localStorage.removeItem(SHOWN_KEY);
  else localStorage.setItem(SHOWN_KEY, id);
}
