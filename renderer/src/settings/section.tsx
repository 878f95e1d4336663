// One group of settings as a form: edited as a draft, saved or thrown away as a whole, errors beside their fields.
import { useState, type FormEvent, type ReactNode } from 'react';
import { ApiError, describeError } from '../api/api-error.ts';
import { Button } from '../parts/button.tsx';
import { ErrorNote } from '../parts/error-note.tsx';
import { Panel } from '../parts/panel.tsx';
import { useToast } from '../parts/toast.tsx';
import type { SettingsPatch } from './use-settings.ts';

export interface Form<T> {
  readonly draft: T;
  readonly set: (change: Partial<T>) => void;
  /** What the engine said about this field when it refused; null where it said nothing. */
  readonly error: (field: string) => string | null;
}

export interface SectionProps<T extends object> {
  readonly title: string;
  readonly hint?: string;
  readonly value: T;
  readonly toPatch: (draft: T) => SettingsPatch;
  readonly save: (patch: SettingsPatch) => Promise<unknown>;
  readonly children: (form: Form<T>) => ReactNode;
}

export function Section<T extends object>({ title, hint, value, toPatch, save, children }: SectionProps<T>) {
  const [changes, setChanges] = useState<Partial<T>>({});
  const [error, setError] = useState<unknown>(null);
  const [saving, setSaving] = useState(false);
  const toast = useToast();
  const draft = { ...value, ...changes };
  const dirty = Object.keys(changes).length > 0;
  const discard = (): void => {
    setChanges({});
    setError(null);
  };
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setSaving(true);
    try {
      await save(toPatch(draft));
      discard();
      toast({ text: `${title}: saved.`, undo: () => void save(toPatch(value)) });
    } catch (refusal) {
      setError(refusal);
    } finally {
      setSaving(false);
    }
  };
  const form: Form<T> = {
    draft,
    set: (change) => setChanges((before) => ({ ...before, ...change })),
    error: (field) => errorOf(error, field),
  };
  return (
    <Panel title={title} className='settings-section'>
      {hint !== undefined && <p className='quiet'>{hint}</p>}
      <form className='stack' onSubmit={(event) => void submit(event)} noValidate>
        {children(form)}
        {error !== null && <ErrorNote error={error} what='Not saved.' />}
        <div className='row settings-buttons'>
          <Button type='submit' kind='primary' disabled={!dirty} busy={saving}>
            Save
          </Button>
          <Button disabled={!dirty} onClick={discard}>
            Discard
          </Button>
        </div>
      </form>
    </Panel>
  );
}

/** The engine names fields by their path, such as `cost.tariffUsdPerKwh`. */
function errorOf(error: unknown, field: string): string | null {
  if (!(error instanceof ApiError) || error.param === null) return null;
  return error.param === field || error.param.endsWith(`.${field}`) ? describeError(error).message : null;
}
