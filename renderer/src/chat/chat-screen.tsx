// The chat: the list of conversations, the one that is shown, and the box to ask in. Escape stops the answer.
import { useEffect, useMemo, useState, useSyncExternalStore, type KeyboardEvent } from 'react';
import { useLivePart } from '../live/use-live.tsx';
import { Status } from '../parts/status.tsx';
import { Button } from '../parts/button.tsx';
import { usePlaceQuery } from '../shell/hash-location.ts';
import { Screen } from '../shell/screen.tsx';
import type { ChatSession } from './chat-session.ts';
import { chatModels, chooseModels, withRoutes, type ChatModel } from './choose-models.ts';
import { Composer } from './composer.tsx';
import { isBusy, pathOf } from './conversation.ts';
import { ConversationList } from './conversation-list.tsx';
import { ModelPicker } from './model-picker.tsx';
import { pageSession, rememberShown, startSession } from './page-session.ts';
import { SettingsDialog } from './settings-dialog.tsx';
import { Turns } from './turns.tsx';
import './chat.css';

export function ChatScreen() {
  const session = pageSession;
  const { heads, current, storeFault } = useSyncExternalStore(session.desk.subscribe, session.desk.read);
  const installed = useChatModels();
  const models = useMemo(() => chooseModels(current.models, installed ?? []), [current.models, installed]);
  const [listOpen, setListOpen] = useState(false);
  const [settingsOpen, setSettingsOpen] = useState(false);
  const [editingId, setEditingId] = useState<string | null>(null);
  useSession(session, current.turns.length === 0 ? null : current.id, heads !== null);
  const busy = isBusy(current);
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key !== 'Escape' || event.defaultPrevented || !busy) return;
    event.preventDefault();
    session.stop();
  };
  return (
    <Screen
      title='Chat'
      actions={
        <>
          <ModelPicker installed={installed ?? []} models={models} onChange={(next) => session.configure({ models: next })} />
          <Button onClick={() => setSettingsOpen(true)}>Parameters</Button>
          <Button className='chat-list-toggle' aria-expanded={listOpen} onClick={() => setListOpen(!listOpen)}>
            Conversations
          </Button>
        </>
      }
    >
      <div className={listOpen ? 'chat list-open' : 'chat'} onKeyDown={onKeyDown}>
        <ConversationList session={session} heads={heads} currentId={current.id} onChosen={() => setListOpen(false)} />
        <section className='chat-main' aria-label='Conversation'>
          {storeFault !== null && <StoreFault reason={storeFault} />}
          <Turns
            key={`turns ${current.id}`}
            session={session}
            conversation={current}
            models={models}
            editingId={editingId}
            onEdit={setEditingId}
          />
          <Composer
            key={`composer ${current.id}`}
            session={session}
            conversation={current}
            models={models}
            busy={busy}
            waiting={installed === null}
            onEditLast={() => setEditingId(pathOf(current).at(-1)?.id ?? null)}
          />
        </section>
      </div>
      <SettingsDialog session={session} conversation={current} open={settingsOpen} onClose={() => setSettingsOpen(false)} />
    </Screen>
  );
}

function StoreFault({ reason }: { readonly reason: string }) {
  return (
    <p className='row' role='alert'>
      <Status tone='warning' word='Not kept' />
      <span className='wrap-anywhere'>
        This browser does not keep conversations right now ({reason}). Chatting works; export what you want to keep.
      </span>
    </p>
  );
}

/** Models that write text; null before the engine has said. Changes only when one comes, goes, or is loaded. */
function useChatModels(): readonly ChatModel[] | null {
  const text = useLivePart(({ now }) => (now === null ? null : JSON.stringify(chatModels(now.models))));
  return useMemo(() => (text === null ? null : withRoutes(JSON.parse(text) as readonly ChatModel[])), [text]);
}

/** Starts the session, keeps what it holds when the page goes away, and takes `?model=` of the place. */
function useSession(session: ChatSession, shownId: string | null, started: boolean): void {
  const [query, change] = usePlaceQuery();
  const wanted = query.get('model');
  const resume = wanted === null;
  useEffect(() => void startSession(session, resume), [session, resume]);
  useEffect(() => {
    const keep = (): void => void session.desk.flush();
    addEventListener('pagehide', keep);
    return () => removeEventListener('pagehide', keep);
  }, [session]);
  useEffect(() => {
    if (started) rememberShown(shownId);
  }, [started, shownId]);
  useEffect(() => {
    if (!started || wanted === null) return;
    if (session.desk.current.turns.length > 0) session.create();
    session.configure({ models: [wanted] });
    change({ model: null });
  });
}
