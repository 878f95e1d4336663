// The conversations that are kept, searched by what was said in them.
import { memo, useEffect, useState } from 'react';
import { formatMoment } from '../format.ts';
import { Button } from '../parts/button.tsx';
import { Loading } from '../parts/empty.tsx';
import type { ChatSession } from './chat-session.ts';
import { ConversationDialog } from './conversation-dialog.tsx';
import type { ConversationHead } from './conversation-store.ts';

export interface ConversationListProps {
  readonly session: ChatSession;
  /** Null before the store has answered. */
  readonly heads: readonly ConversationHead[] | null;
  readonly currentId: string;
  /** One was opened or begun. */
  readonly onChosen: () => void;
}

export const ConversationList = memo(function ConversationList({ session, heads, currentId, onChosen }: ConversationListProps) {
  const [search, setSearch] = useState('');
  const [askedId, setAskedId] = useState<string | null>(null);
  const found = useFound(session, search, heads);
  const shown = heads?.filter(({ id }) => found === null || found.has(id)) ?? null;
  const choose = (id: string): void => {
    void session.open(id);
    onChosen();
  };
  const create = (): void => {
    session.create();
    onChosen();
  };
  return (
    <nav className='conversations' aria-label='Conversations'>
      <Button onClick={create}>New conversation</Button>
      <input
        type='search'
        aria-label='Search conversations'
        placeholder='Search (/)'
        value={search}
        onChange={(event) => setSearch(event.target.value)}
      />
      {shown === null && <Loading lines={4} label='Loading conversations' />}
      {shown?.length === 0 && (
        <p className='quiet small'>{search === '' ? 'Conversations are kept here, in this browser alone.' : 'Nothing was said of that.'}</p>
      )}
      <ul className='conversation-rows'>
        {shown?.map((head) => (
          <Row key={head.id} head={head} current={head.id === currentId} onOpen={choose} onMore={setAskedId} />
        ))}
      </ul>
      <ConversationDialog session={session} id={askedId} onClose={() => setAskedId(null)} />
    </nav>
  );
});

interface RowProps {
  readonly head: ConversationHead;
  readonly current: boolean;
  readonly onOpen: (id: string) => void;
  readonly onMore: (id: string) => void;
}

function Row({ head: { id, title, updatedAtMs }, current, onOpen, onMore }: RowProps) {
  return (
    <li className={current ? 'conversation-row current' : 'conversation-row'}>
      <button
        type='button'
        aria-current={current ? 'true' : undefined}
        title={`${title}\n${formatMoment(updatedAtMs)}`}
        onClick={() => onOpen(id)}
      >
        <span className='ellipsis'>{title}</span>
        <span className='quiet small'>{formatMoment(updatedAtMs)}</span>
      </button>
      <Button kind='quiet' aria-label={`Rename, export or delete ${title}`} onClick={() => onMore(id)}>
        ⋯
      </Button>
    </li>
  );
}

/** Words are looked for once the reader has paused for this long. */
const PAUSE_MS = 150;

/** Ids of the conversations that hold the words; null: all, nothing is searched. */
function useFound(session: ChatSession, search: string, heads: readonly ConversationHead[] | null): ReadonlySet<string> | null {
  const [found, setFound] = useState<ReadonlySet<string> | null>(null);
  const words = search.trim();
  useEffect(() => {
    if (words === '') return setFound(null);
    let left = false;
    const timer = setTimeout(() => void session.desk.search(words).then((ids) => left || setFound(ids)), PAUSE_MS);
    return () => {
      left = true;
      clearTimeout(timer);
    };
  }, [session, words, heads]);
  return words === '' ? null : found;
}
