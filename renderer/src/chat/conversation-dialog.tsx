// What can be done with a whole conversation: a name, a file to keep, and taking it away.
import { useEffect, useState } from 'react';
import { Button } from '../parts/button.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { TextField } from '../parts/field.tsx';
import { useToast } from '../parts/toast.tsx';
import type { ChatSession } from './chat-session.ts';
import { titleOf, type Conversation } from './conversation.ts';
import { toJsonFile, toMarkdownFile, type ExportFile } from './export.ts';

export interface ConversationDialogProps {
  readonly session: ChatSession;
  /** Null: closed. */
  readonly id: string | null;
  readonly onClose: () => void;
}

export function ConversationDialog({ session, id, onClose }: ConversationDialogProps) {
  const [conversation, setConversation] = useState<Conversation | null>(null);
  useEffect(() => {
    if (id !== null) void session.desk.find(id).then((found) => setConversation(found ?? null));
  }, [session, id]);
  const open = id !== null && conversation?.id === id;
  return (
    <Dialog title={open ? titleOf(conversation) : 'Conversation'} open={open} onClose={onClose}>
      {open && <Actions key={id} session={session} conversation={conversation} onClose={onClose} />}
    </Dialog>
  );
}

interface ActionsProps {
  readonly session: ChatSession;
  readonly conversation: Conversation;
  readonly onClose: () => void;
}

function Actions({ session, conversation, onClose }: ActionsProps) {
  const toast = useToast();
  const [name, setName] = useState(conversation.name ?? titleOf(conversation));
  const rename = (): void => {
    void session.rename(conversation.id, name);
    onClose();
  };
  const remove = async (): Promise<void> => {
    onClose();
    const undo = await session.remove(conversation.id);
    if (undo !== null) toast({ text: `“${titleOf(conversation)}” was deleted.`, undo: () => void undo() });
  };
  return (
    <form
      className='stack'
      onSubmit={(event) => {
        event.preventDefault();
        rename();
      }}
    >
      <TextField label='Name' hint='Empty: the first question is the title.' value={name} onChange={setName} />
      <div className='row'>
        <Button kind='danger' onClick={() => void remove()}>
          Delete
        </Button>
        <span className='row push'>
          <Button onClick={() => save(toMarkdownFile(conversation))}>Export Markdown</Button>
          <Button onClick={() => save(toJsonFile(conversation))}>Export JSON</Button>
          <Button kind='primary' type='submit'>
            Rename
          </Button>
        </span>
      </div>
    </form>
  );
}

/** Gives the browser a file to keep. */
function save({ name, type, text }: ExportFile): void {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = Object.assign(document.createElement('a'), { href: url, download: name });
  link.click();
  URL.revokeObjectURL(url);
}
