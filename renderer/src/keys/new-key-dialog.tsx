// A new key: whose it is, what it may, how much, how long; or a code by which a new device fetches it.
import { useState } from 'react';
import { PRIORITIES, type NewKey, type PairingCode, type Priority } from '../../../engine/contract.ts';
import { useChange } from '../api/queries.tsx';
import { formatClock } from '../format.ts';
import { Button } from '../parts/button.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { ErrorNote } from '../parts/error-note.tsx';
import { Check, NumberField, TextField } from '../parts/field.tsx';
import { Select } from '../parts/select.tsx';

const DAY_MS = 86_400_000;
const LIMITS = [
  { name: 'requestsPerMinute', label: 'Requests a minute' },
  { name: 'tokensPerMinute', label: 'Tokens a minute' },
  { name: 'concurrency', label: 'Requests at once' },
  { name: 'dailyUsd', label: 'Budget a day, $' },
  { name: 'monthlyUsd', label: 'Budget a month, $' },
] as const;
type Limits = Readonly<Partial<Record<(typeof LIMITS)[number]['name'], number | null>>>;

interface Draft {
  readonly tenant: string;
  readonly days: number | null;
  readonly models: string;
  readonly admin: boolean;
  readonly countsLocalCost: boolean;
  readonly limits: Limits;
  readonly priority: Priority;
}

const PLAIN: Draft = { tenant: '', days: null, models: '', admin: false, countsLocalCost: false, limits: {}, priority: 'normal' };

/** What the engine is asked for; empty boxes mean no limit. */
export function wishOf({ tenant, days, models, admin, countsLocalCost, limits, priority }: Draft, nowMs: number) {
  const names = models.split(/[\s,]+/).filter((name) => name !== '');
  const scopes = { models: names.length === 0 ? null : names, admin };
  return { tenant, expiresMs: days === null ? null : nowMs + days * DAY_MS, scopes, limits: { ...limits, countsLocalCost }, priority };
}

export function NewKeyDialog({ onClose, onMade }: { readonly onClose: () => void; readonly onMade: (made: NewKey) => void }) {
  const [draft, setDraft] = useState(PLAIN);
  const set = (change: Partial<Draft>): void => setDraft({ ...draft, ...change });
  const create = useChange<NewKey>(['/api/keys', '/api/audit']);
  const pair = useChange<PairingCode>(['/api/audit']);
  const body = () => wishOf(draft, Date.now());
  const make = (): void =>
    create.mutate(
      { method: 'POST', path: '/api/keys', body: body() },
      {
        onSuccess: (made) => {
          onClose();
          onMade(made);
        },
      },
    );
  const error = create.error ?? pair.error;
  const footer = (
    <>
      <Button busy={pair.isPending} onClick={() => pair.mutate({ method: 'POST', path: '/api/pairing', body: body() })}>
        Show a pairing code
      </Button>
      <Button kind='primary' busy={create.isPending} onClick={make}>
        Make the key
      </Button>
    </>
  );
  return (
    <Dialog title='New key' open onClose={onClose} footer={footer}>
      <TextField
        label='Tenant'
        hint='Whose key it is; costs and fairness go by it.'
        value={draft.tenant}
        onChange={(tenant) => set({ tenant })}
      />
      <TextField
        label='Models'
        hint='Names with commas between. Empty: every model.'
        value={draft.models}
        onChange={(models) => set({ models })}
      />
      <div className='settings-grid'>
        <NumberField
          label='Valid for'
          unit='days'
          hint='Empty: until revoked.'
          min={1}
          value={draft.days}
          onChange={(days) => set({ days })}
        />
        <Select
          label='Priority'
          value={draft.priority}
          options={PRIORITIES.map((value) => ({ value, label: value }))}
          onChange={(priority) => set({ priority })}
        />
        {LIMITS.map(({ name, label }) => (
          <NumberField
            key={name}
            label={label}
            hint='Empty: no limit.'
            value={draft.limits[name] ?? null}
            onChange={(value) => set({ limits: { ...draft.limits, [name]: value } })}
          />
        ))}
      </div>
      <Check
        label='Budgets count this machine’s cost too'
        checked={draft.countsLocalCost}
        onChange={(on) => set({ countsLocalCost: on })}
      />
      <Check label='May use this console' checked={draft.admin} onChange={(admin) => set({ admin })} />
      {pair.data !== undefined && (
        <p role='status'>
          Code for one new device: <strong>{pair.data.code}</strong>, until {formatClock(pair.data.expiresMs)}. It is entered at this
          server’s sign-in page.
        </p>
      )}
      {error !== null && <ErrorNote error={error} what='No key was made.' />}
    </Dialog>
  );
}
