// A text of the user's own, on which variants are measured too: what a model loses depends on what it is asked.
import { useState } from 'react';
import { Button } from '../parts/button.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { Field } from '../parts/field.tsx';

export interface OwnTextDialogProps {
  readonly open: boolean;
  readonly hasText: boolean;
  readonly onClose: () => void;
  /** Null removes it. */
  readonly onSave: (text: string | null) => void;
}

/** As the engine has it. */
const LEAST_CHARACTERS = 20;

export function OwnTextDialog({ open, hasText, onClose, onSave }: OwnTextDialogProps) {
  const [text, setText] = useState('');
  const save = (next: string | null): void => {
    onSave(next);
    setText('');
    onClose();
  };
  const footer = (
    <>
      {hasText && (
        <Button kind='danger' onClick={() => save(null)}>
          Remove my text
        </Button>
      )}
      <Button kind='primary' className='push' disabled={text.trim().length < LEAST_CHARACTERS} onClick={() => save(text)}>
        Keep this text
      </Button>
    </>
  );
  const hint = hasText ? 'A text is kept already; this one takes its place.' : 'At least 20 characters; a few pages say more.';
  return (
    <Dialog title='A text of your own' open={open} onClose={onClose} footer={footer}>
      <p>
        Variants are measured on the product’s own text. Paste what your model is really asked and what it should answer, a page or more:
        the gate then judges by both. The text stays on this machine, beside the model.
      </p>
      <Field label='Text' hint={hint}>
        {(ties) => <textarea {...ties} rows={10} value={text} onChange={(event) => setText(event.target.value)} />}
      </Field>
    </Dialog>
  );
}
