// The chat: which model, the turns so far, and the box to ask in. Enter asks, Escape stops.
import { useEffect, useRef, useState, type KeyboardEvent } from 'react';
import type { ModelStatus } from '../../engine/contract.ts';
import { TurnView } from './turn.tsx';
import { useConversation, type Chat } from './use-conversation.ts';

export function ChatPanel({ models: installed }: { readonly models: readonly ModelStatus[] }) {
  const models = installed.filter(({ use }) => use === 'text');
  const chat = useConversation();
  const [chosen, setChosen] = useState<string | null>(null);
  const model = models.find(({ id }) => id === chosen) ?? models.find(({ state }) => state === 'ready') ?? models[0];
  return (
    <section aria-labelledby='chat-title' className='chat' onKeyDown={(event) => event.key === 'Escape' && chat.busy && chat.stop()}>
      <div className='chat-head'>
        <h2 id='chat-title'>Chat</h2>
        <select
          aria-label='Model'
          value={model?.id ?? ''}
          disabled={models.length === 0}
          onChange={(event) => setChosen(event.target.value)}
        >
          {models.length === 0 && <option value=''>no model</option>}
          {models.map(({ id }) => (
            <option key={id}>{id}</option>
          ))}
        </select>
        <button type='button' disabled={chat.turns.length === 0 || chat.busy} onClick={chat.clear}>
          New chat
        </button>
      </div>
      <Turns chat={chat} />
      <AskBox chat={chat} model={model?.id ?? null} />
    </section>
  );
}

function Turns({ chat }: { readonly chat: Chat }) {
  const box = useRef<HTMLDivElement>(null);
  const length = chat.turns.reduce((sum, turn) => sum + turn.answer.length + 1, 0);
  useEffect(() => {
    box.current?.scrollTo({ top: box.current.scrollHeight });
  }, [length]);
  return (
    <div ref={box} className='turns' tabIndex={0} role='log' aria-label='Conversation' aria-busy={chat.busy}>
      {chat.turns.length === 0 && (
        <p className='quiet empty'>Ask something. The answer comes from the model on this machine and stays on it.</p>
      )}
      {chat.turns.map((turn, index) => (
        <TurnView key={index} turn={turn} />
      ))}
    </div>
  );
}

function AskBox({ chat, model }: { readonly chat: Chat; readonly model: string | null }) {
  const [draft, setDraft] = useState('');
  const ready = model !== null && !chat.busy && draft.trim() !== '';
  const ask = (): void => {
    if (!ready) return;
    chat.ask(model, draft.trim());
    setDraft('');
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    ask();
  };
  return (
    <form
      className='ask'
      onSubmit={(event) => {
        event.preventDefault();
        ask();
      }}
    >
      <textarea
        aria-label='Message'
        rows={2}
        autoFocus
        value={draft}
        placeholder={model === null ? 'Install a model first' : 'Message, Enter to send, Shift+Enter for a new line'}
        disabled={model === null}
        onChange={(event) => setDraft(event.target.value)}
        onKeyDown={onKeyDown}
      />
      {chat.busy ? (
        <button type='button' className='primary' onClick={chat.stop}>
          Stop
        </button>
      ) : (
        <button type='submit' className='primary' disabled={!ready}>
          Send
        </button>
      )}
    </form>
  );
}
