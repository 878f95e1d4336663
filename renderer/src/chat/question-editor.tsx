// A question that was asked, being changed: it is asked anew on a branch of its own, and the old one stays.
import { useState, type KeyboardEvent } from 'react';
import { Button } from '../parts/button.tsx';
import type { Question } from './chat-session.ts';
import type { Turn } from './conversation.ts';

export interface QuestionEditorProps {
  readonly turn: Turn;
  readonly onSave: (question: Question) => void;
  readonly onCancel: () => void;
}

export function QuestionEditor({ turn, onSave, onCancel }: QuestionEditorProps) {
  const [text, setText] = useState(turn.question);
  const empty = text.trim() === '' && turn.attachments.length === 0;
  const save = (): void => {
    if (!empty) onSave({ question: text.trim(), attachments: turn.attachments });
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.nativeEvent.isComposing) return;
    if (event.key === 'Escape') onCancel();
    else if (event.key === 'Enter' && !event.shiftKey) save();
    else return;
    event.preventDefault();
  };
  return (
    <div className='question-editor stack'>
      <textarea
        aria-label='Edit the question'
        autoFocus
        rows={3}
        value={text}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={onKeyDown}
        onFocus={(event) => event.target.setSelectionRange(text.length, text.length)}
      />
      <span className='row'>
        <span className='quiet small'>The earlier version and what followed it are kept.</span>
        <span className='row push'>
          <Button onClick={onCancel}>Cancel</Button>
          <Button kind='primary' disabled={empty} onClick={save}>
            Ask again
          </Button>
        </span>
      </span>
    </div>
  );
}
