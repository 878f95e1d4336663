// One alert rule, every part of it.
import { useState } from 'react';
import { ALERT_METRICS, type AlertRule } from '../../../engine/contract.ts';
import { Button } from '../parts/button.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { ErrorNote } from '../parts/error-note.tsx';
import { Field, NumberField, TextField } from '../parts/field.tsx';
import { Select } from '../parts/select.tsx';
import { describeRule, METRIC_WORDS } from './rule-words.ts';

export interface RuleDialogProps {
  readonly rule: AlertRule;
  readonly onClose: () => void;
  /** Rejects with what the engine refused. */
  readonly onSave: (rule: AlertRule) => Promise<unknown>;
}

const METRICS = ALERT_METRICS.map((value) => ({ value, label: METRIC_WORDS[value].title }));
const COMPARISONS = [
  { value: 'above', label: 'above' },
  { value: 'below', label: 'below' },
] as const;
const NUMBERS = [
  { name: 'threshold', label: 'Threshold' },
  { name: 'clearThreshold', label: 'Ends beyond' },
] as const;

export function RuleDialog({ rule, onClose, onSave }: RuleDialogProps) {
  const [draft, setDraft] = useState(rule);
  const [error, setError] = useState<unknown>(null);
  const [saving, setSaving] = useState(false);
  const set = (change: Partial<AlertRule>): void => setDraft({ ...draft, ...change });
  const submit = (): void => {
    setSaving(true);
    onSave(draft).then(onClose, (refusal: unknown) => {
      setError(refusal);
      setSaving(false);
    });
  };
  const { unit } = METRIC_WORDS[draft.metric];
  const number = (value: number): number | null => (Number.isNaN(value) ? null : value);
  const footer = (
    <>
      <Button onClick={onClose}>Cancel</Button>
      <Button kind='primary' busy={saving} onClick={submit}>
        Save the rule
      </Button>
    </>
  );
  return (
    <Dialog title={rule.name} open onClose={onClose} footer={footer}>
      <TextField label='Name' value={draft.name} onChange={(name) => set({ name })} />
      <div className='alerts-grid'>
        <Select label='Watches' value={draft.metric} options={METRICS} onChange={(metric) => set({ metric })} />
        <Select label='Fires when it is' value={draft.comparison} options={COMPARISONS} onChange={(comparison) => set({ comparison })} />
        {NUMBERS.map(({ name, label }) => (
          <NumberField
            key={name}
            label={label}
            unit={unit}
            value={number(draft[name])}
            onChange={(value) => set({ [name]: value ?? Number.NaN })}
          />
        ))}
        <NumberField
          label='For as long as'
          unit='s'
          value={number(draft.windowSeconds)}
          onChange={(value) => set({ windowSeconds: value ?? Number.NaN })}
        />
        <NumberField
          label='Only with so many under way'
          unit='requests'
          value={number(draft.minLoad)}
          onChange={(value) => set({ minLoad: value ?? Number.NaN })}
        />
      </div>
      <p className='quiet'>{describeRule(draft)}.</p>
      <Field label='What it indicates'>
        {(ties) => <textarea {...ties} rows={2} value={draft.indicates} onChange={(event) => set({ indicates: event.target.value })} />}
      </Field>
      <Field label='What to do'>
        {(ties) => <textarea {...ties} rows={2} value={draft.remedy} onChange={(event) => set({ remedy: event.target.value })} />}
      </Field>
      {error !== null && <ErrorNote error={error} what='Not saved.' />}
    </Dialog>
  );
}
