// What holds for a whole conversation: the system prompt and the parameters of sampling.
import { useState } from 'react';
import { Button } from '../parts/button.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { Field, TextField } from '../parts/field.tsx';
import type { ChatSession } from './chat-session.ts';
import type { Conversation } from './conversation.ts';
import { NUMBER_FIELDS, PLAIN_SAMPLING, readNumber, readStops, writeStops, type FieldLimits, type Sampling } from './sampling.ts';

export interface SettingsDialogProps {
  readonly session: ChatSession;
  readonly conversation: Conversation;
  readonly open: boolean;
  readonly onClose: () => void;
}

export function SettingsDialog({ session, conversation, open, onClose }: SettingsDialogProps) {
  const { systemPrompt, sampling } = conversation;
  const [resets, setResets] = useState(0);
  const change = (part: Partial<Sampling>): void => session.configure({ sampling: { ...session.desk.current.sampling, ...part } });
  const reset = (): void => {
    session.configure({ sampling: PLAIN_SAMPLING });
    setResets(resets + 1);
  };
  return (
    <Dialog
      title='Parameters of this conversation'
      open={open}
      onClose={onClose}
      wide
      footer={
        <>
          <Button onClick={reset}>Reset parameters</Button>
          <Button kind='primary' onClick={onClose}>
            Done
          </Button>
        </>
      }
    >
      <Field label='System prompt' hint='Told to the model before everything else.'>
        {(ties) => (
          <textarea
            {...ties}
            rows={4}
            value={systemPrompt}
            placeholder='None'
            onChange={(event) => session.configure({ systemPrompt: event.target.value })}
          />
        )}
      </Field>
      <div className='parameters' key={`${conversation.id} ${resets}`}>
        {NUMBER_FIELDS.map((limits) => (
          <NumberParameter
            key={limits.field}
            limits={limits}
            value={sampling[limits.field]}
            onChange={(value) => change({ [limits.field]: value })}
          />
        ))}
        <StopParameter value={sampling.stop} onChange={(stop) => change({ stop })} />
      </div>
    </Dialog>
  );
}

interface NumberParameterProps {
  readonly limits: FieldLimits;
  readonly value: number | null;
  readonly onChange: (value: number | null) => void;
}

/** What is typed stays as it is typed; only what is right is taken. */
function NumberParameter({ limits, value, onChange }: NumberParameterProps) {
  const [text, setText] = useState(value === null ? '' : String(value));
  const reading = readNumber(text, limits);
  const type = (next: string): void => {
    setText(next);
    const read = readNumber(next, limits);
    if (read.kind === 'value') onChange(read.value);
  };
  return (
    <TextField
      label={limits.label}
      hint={limits.meaning}
      error={reading.kind === 'wrong' ? reading.reason : null}
      placeholder={limits.fallback}
      value={text}
      onChange={type}
    />
  );
}

function StopParameter({ value, onChange }: { readonly value: readonly string[]; readonly onChange: (stop: readonly string[]) => void }) {
  const [text, setText] = useState(writeStops(value));
  const reading = readStops(text);
  const type = (next: string): void => {
    setText(next);
    const read = readStops(next);
    if (read.kind === 'value') onChange(read.value);
  };
  return (
    <Field label='Stop strings' hint='One a line; \n is a line break.' error={reading.kind === 'wrong' ? reading.reason : null}>
      {(ties) => <textarea {...ties} rows={2} value={text} placeholder='none' onChange={(event) => type(event.target.value)} />}
    </Field>
  );
}
