// A file of rows becomes a batch: chosen, uploaded, checked line by line by the engine.
import { useState } from 'react';
import { useChange } from '../api/queries.tsx';
import { Button } from '../parts/button.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { ErrorNote } from '../parts/error-note.tsx';
import { Field, NumberField } from '../parts/field.tsx';
import { createBatch, endpointOf, uploadRows } from './upload.ts';

const DAY_HOURS = 24;
const EXAMPLE = '{"custom_id":"1","method":"POST","url":"/v1/chat/completions","body":{"model":"…","messages":[…]}}';

export function NewBatchDialog({ onClose }: { readonly onClose: () => void }) {
  const [file, setFile] = useState<File | null>(null);
  const [hours, setHours] = useState<number | null>(DAY_HOURS);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const create = useChange(['/api/batches']);
  const submit = async (): Promise<void> => {
    if (file === null) return;
    setBusy(true);
    setError(null);
    try {
      const endpoint = (await endpointOf(file)) ?? '/v1/chat/completions';
      await create.mutateAsync(createBatch(await uploadRows(file), endpoint, hours ?? DAY_HOURS));
      onClose();
    } catch (refusal) {
      setError(refusal);
      setBusy(false);
    }
  };
  const footer = (
    <>
      <Button onClick={onClose}>Cancel</Button>
      <Button kind='primary' busy={busy} disabled={file === null} onClick={() => void submit()}>
        {busy ? 'Uploading' : 'Run the rows'}
      </Button>
    </>
  );
  return (
    <Dialog title='New batch' open onClose={onClose} footer={footer}>
      <Field label='File of rows' hint='JSON lines: 50,000 rows or 200 MB at most. All rows have one endpoint, taken from the first.'>
        {(ties) => (
          <input {...ties} type='file' accept='.jsonl,.ndjson,.json' onChange={({ target }) => setFile(target.files?.[0] ?? null)} />
        )}
      </Field>
      <NumberField label='To be done within' unit='hours' min={1} max={720} step={1} value={hours} onChange={setHours} />
      <p className='quiet small'>A row looks like this:</p>
      <pre tabIndex={0} aria-label='Example of a row' className='batch-example'>
        <code>{EXAMPLE}</code>
      </pre>
      {error !== null && <ErrorNote error={error} what='No batch was made.' />}
    </Dialog>
  );
}
