// One question with its answers side by side. Drawn again only when something of it changes.
import { memo } from 'react';
import { Button } from '../parts/button.tsx';
import { AnswerView } from './answer-view.tsx';
import type { ChatSession, Question } from './chat-session.ts';
import { siblingsOf, type Turn } from './conversation.ts';
import { QuestionEditor } from './question-editor.tsx';

export interface TurnViewProps {
  readonly session: ChatSession;
  readonly turn: Turn;
  /** Among those that could be shown here, from 1. */
  readonly position: number;
  readonly siblingCount: number;
  readonly editing: boolean;
  readonly onEdit: (turnId: string | null) => void;
  readonly onSave: (turn: Turn, question: Question) => void;
}

export const TurnView = memo(function TurnView({ session, turn, position, siblingCount, editing, onEdit, onSave }: TurnViewProps) {
  const step = (by: number): void => {
    const next = siblingsOf(session.desk.current, turn)[position - 1 + by];
    if (next !== undefined) session.show(next);
  };
  return (
    <article className='turn' aria-label={`Question ${turn.question.slice(0, 60)}`}>
      {editing ? (
        <QuestionEditor turn={turn} onCancel={() => onEdit(null)} onSave={(question) => onSave(turn, question)} />
      ) : (
        <div className='question'>
          <Attachments turn={turn} />
          {turn.question !== '' && <p className='question-text'>{turn.question}</p>}
          <span className='turn-actions row'>
            {siblingCount > 1 && (
              <span className='row siblings' role='group' aria-label='Versions of this question'>
                <Button kind='quiet' disabled={position === 1} aria-label='Earlier version' onClick={() => step(-1)}>
                  ‹
                </Button>
                <span>
                  {position}/{siblingCount}
                </span>
                <Button kind='quiet' disabled={position === siblingCount} aria-label='Later version' onClick={() => step(1)}>
                  ›
                </Button>
              </span>
            )}
            <Button kind='quiet' onClick={() => onEdit(turn.id)}>
              Edit
            </Button>
          </span>
        </div>
      )}
      <div className={turn.answers.length > 1 ? 'answers side-by-side' : 'answers'}>
        {turn.answers.map((answer, column) => (
          <AnswerView
            key={column}
            answer={answer}
            named={turn.answers.length > 1}
            onAgain={() => session.again({ turnId: turn.id, column })}
          />
        ))}
      </div>
    </article>
  );
});

function Attachments({ turn }: { readonly turn: Turn }) {
  return turn.attachments.map(({ name, text }) => (
    <details key={name} className='attachment'>
      <summary className='ellipsis'>{name}</summary>
      <pre tabIndex={0}>{text}</pre>
    </details>
  ));
}
