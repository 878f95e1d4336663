// The turns that are shown, first to last. Stays at the end while tokens come, unless the reader has scrolled up.
import { useCallback, useState } from 'react';
import { Button } from '../parts/button.tsx';
import { Empty } from '../parts/empty.tsx';
import { goTo } from '../shell/hash-location.ts';
import type { ChatSession, Question } from './chat-session.ts';
import { pathOf, type Conversation, type Turn } from './conversation.ts';
import { TurnView } from './turn-view.tsx';
import { useStickToEnd } from './use-stick-to-end.ts';

export interface TurnsProps {
  readonly session: ChatSession;
  readonly conversation: Conversation;
  /** That a new question goes to. */
  readonly models: readonly string[];
  /** The turn whose question is being edited. */
  readonly editingId: string | null;
  readonly onEdit: (turnId: string | null) => void;
}

/** More than a reader scrolls through at once; drawing all of a long conversation takes seconds. */
const DRAWN_TURNS = 60;

export function Turns({ session, conversation, models, editingId, onEdit }: TurnsProps) {
  const path = pathOf(conversation);
  const byParent = Map.groupBy(conversation.turns, ({ parentId }) => parentId);
  const [drawn, setDrawn] = useState(DRAWN_TURNS);
  const hiddenCount = Math.max(0, path.length - drawn);
  const { box, content, atEnd, toEnd } = useStickToEnd(conversation.id, path.length);
  const edit = useCallback(
    (turn: Turn, question: Question) => {
      session.edit(turn, question, models);
      onEdit(null);
    },
    [session, models, onEdit],
  );
  return (
    <div className='turns-frame'>
      <div ref={box} className='turns' tabIndex={0} role='log' aria-label='Messages'>
        <div ref={content} className='turns-content'>
          {path.length === 0 && <Beginning hasModel={models.length > 0} />}
          {hiddenCount > 0 && (
            <Button className='earlier' onClick={() => setDrawn(drawn + DRAWN_TURNS)}>
              Show earlier turns ({hiddenCount})
            </Button>
          )}
          {path.slice(hiddenCount).map((turn) => {
            const siblings = byParent.get(turn.parentId) ?? [];
            return (
              <TurnView
                key={turn.id}
                session={session}
                turn={turn}
                position={siblings.indexOf(turn) + 1}
                siblingCount={siblings.length}
                editing={editingId === turn.id}
                onEdit={onEdit}
                onSave={edit}
              />
            );
          })}
        </div>
      </div>
      {!atEnd && (
        <Button className='to-end' onClick={toEnd}>
          ↓ Newest
        </Button>
      )}
    </div>
  );
}

function Beginning({ hasModel }: { readonly hasModel: boolean }) {
  if (hasModel) {
    return (
      <Empty title='Ask something'>
        The answer comes from a model on this machine and stays on it. Enter sends, Shift+Enter begins a new line, Escape stops, ↑ edits
        what you asked last.
      </Empty>
    );
  }
  return (
    <Empty title='No model to chat with yet' action={<Button onClick={() => goTo('/models')}>Get a model</Button>}>
      A small one runs on any machine: it is fetched once and answers without a network.
    </Empty>
  );
}
