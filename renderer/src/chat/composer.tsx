// The box to ask in: Enter sends, Shift+Enter begins a new line, ↑ in an empty box edits the last question. Text files are attached
// by the button, by dropping them, or by pasting them. What was typed is kept over a reload.
import { useRef, useState, type ChangeEvent, type ClipboardEvent, type DragEvent, type KeyboardEvent } from 'react';
import { formatBytes } from '../format.ts';
import { Button } from '../parts/button.tsx';
import { attach, MAX_ATTACHED_BYTES, type Attached } from './attachments.ts';
import type { ChatSession } from './chat-session.ts';
import type { Conversation } from './conversation.ts';
import { readDraft, writeDraft } from './drafts.ts';

export interface ComposerProps {
  readonly session: ChatSession;
  readonly conversation: Conversation;
  readonly models: readonly string[];
  /** An answer is coming. */
  readonly busy: boolean;
  /** It is not known yet which models there are. */
  readonly waiting: boolean;
  readonly onEditLast: () => void;
}

const NOTHING: Attached = { attachments: [], refusals: [] };

export function Composer({ session, conversation, models, busy, waiting, onEditLast }: ComposerProps) {
  const draftId = conversation.turns.length === 0 ? 'new' : conversation.id;
  const [draft, setDraft] = useState(() => readDraft(draftId));
  const [{ attachments, refusals }, setAttached] = useState(NOTHING);
  const hasText = draft.trim() !== '' || attachments.length > 0;
  const ready = models.length > 0 && !busy && hasText;
  const type = (text: string): void => {
    setDraft(text);
    writeDraft(draftId, text);
  };
  const send = (): void => {
    if (!ready) return;
    session.ask({ question: draft.trim(), attachments }, models);
    type('');
    setAttached(NOTHING);
  };
  const add = async (files: Iterable<File>): Promise<void> => setAttached(await attach(attachments, [...files]));
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.nativeEvent.isComposing) return;
    if (event.key === 'ArrowUp' && draft === '' && !busy) onEditLast();
    else if (event.key === 'Enter' && !event.shiftKey) send();
    else return;
    event.preventDefault();
  };
  const onPaste = (event: ClipboardEvent): void => {
    if (event.clipboardData.files.length === 0) return;
    event.preventDefault();
    void add(event.clipboardData.files);
  };
  const onDrop = (event: DragEvent): void => {
    event.preventDefault();
    void add(event.dataTransfer.files);
  };
  const remove = (name: string): void => setAttached({ attachments: attachments.filter((each) => each.name !== name), refusals: [] });
  return (
    <form
      className='composer stack'
      onDragOver={(event) => event.preventDefault()}
      onDrop={onDrop}
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <AttachedFiles attached={{ attachments, refusals }} onRemove={remove} />
      <div className='composer-row'>
        <AttachButton onFiles={(files) => void add(files)} />
        <textarea
          aria-label='Message'
          rows={2}
          autoFocus
          value={draft}
          placeholder={models.length > 0 || waiting ? 'Ask something' : 'Get a model first'}
          onChange={(event) => type(event.target.value)}
          onKeyDown={onKeyDown}
          onPaste={onPaste}
        />
        {busy ? (
          <Button kind='primary' onClick={() => session.stop()}>
            Stop
          </Button>
        ) : (
          <Button kind='primary' type='submit' disabled={!ready}>
            Send
          </Button>
        )}
      </div>
    </form>
  );
}

function AttachButton({ onFiles }: { readonly onFiles: (files: Iterable<File>) => void }) {
  const input = useRef<HTMLInputElement>(null);
  const limit = `Text files, ${formatBytes(MAX_ATTACHED_BYTES)} together`;
  const onChange = (event: ChangeEvent<HTMLInputElement>): void => {
    onFiles([...(event.target.files ?? [])]);
    event.target.value = '';
  };
  return (
    <>
      <input ref={input} type='file' multiple hidden aria-label='Files to attach' onChange={onChange} />
      <Button title={limit} aria-label={`Attach: ${limit}`} onClick={() => input.current?.click()}>
        Attach
      </Button>
    </>
  );
}

function AttachedFiles({ attached, onRemove }: { readonly attached: Attached; readonly onRemove: (name: string) => void }) {
  const { attachments, refusals } = attached;
  return (
    <>
      {refusals.map((refusal) => (
        <p key={refusal} role='alert' className='field-error wrap-anywhere'>
          {refusal}
        </p>
      ))}
      {attachments.length > 0 && (
        <ul className='row' aria-label='Attached files'>
          {attachments.map(({ name, text }) => (
            <li key={name} className='attached row'>
              <span className='ellipsis' title={name}>
                {name}
              </span>
              <span className='quiet small'>{formatBytes(text.length)}</span>
              <Button kind='quiet' aria-label={`Do not attach ${name}`} onClick={() => onRemove(name)}>
                ×
              </Button>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}
