// Who may use the server: API keys, the switch that lets other machines in, and what administrators did.
import { useState } from 'react';
import type { KeyRow, NewKey } from '../../../engine/contract.ts';
import { describeError } from '../api/api-error.ts';
import { useChange, useRead, type Change } from '../api/queries.tsx';
import { formatCount, formatMoment, formatUsd, orDash } from '../format.ts';
import { Button } from '../parts/button.tsx';
import { Empty, Loading } from '../parts/empty.tsx';
import { ErrorNote } from '../parts/error-note.tsx';
import { Panel } from '../parts/panel.tsx';
import { Status, type Tone } from '../parts/status.tsx';
import { Table, type Column } from '../parts/table.tsx';
import { useToast } from '../parts/toast.tsx';
import { Screen } from '../shell/screen.tsx';
import '../settings/settings.css';
import { AuditPanel } from './audit-panel.tsx';
import { LanPanel } from './lan-panel.tsx';
import { NewKeyDialog } from './new-key-dialog.tsx';
import { SecretDialog } from './secret-dialog.tsx';

const EVERY_MS = 3_000;
const TONES: Readonly<Record<KeyRow['state'], Tone>> = { active: 'ok', expired: 'warning', revoked: 'idle' };

export function KeysScreen() {
  const { data, error, refetch } = useRead<readonly KeyRow[]>('/api/keys', { everyMs: EVERY_MS });
  const [adding, setAdding] = useState(false);
  const [made, setMade] = useState<NewKey | null>(null);
  const add = (
    <Button kind='primary' onClick={() => setAdding(true)}>
      New key
    </Button>
  );
  return (
    <Screen title='Keys' actions={add}>
      {data === undefined && error !== null && (
        <ErrorNote error={error} what='The keys could not be read.' onRetry={() => void refetch()} />
      )}
      {data === undefined && error === null && <Loading lines={6} />}
      {data !== undefined && <KeyTable keys={data} onMade={setMade} />}
      <LanPanel />
      <AuditPanel />
      {adding && <NewKeyDialog onClose={() => setAdding(false)} onMade={setMade} />}
      {made !== null && <SecretDialog made={made} onClose={() => setMade(null)} />}
    </Screen>
  );
}

function KeyTable({ keys, onMade }: { readonly keys: readonly KeyRow[]; readonly onMade: (made: NewKey) => void }) {
  const columns: readonly Column<KeyRow>[] = [
    ...COLUMNS,
    { id: 'change', title: 'Change', align: 'end', render: (row) => <KeyActions row={row} onMade={onMade} /> },
  ];
  const empty = (
    <Empty title='No key yet.'>
      Programs on this machine need none. Make one for each person or program on another machine, with limits of its own.
    </Empty>
  );
  return (
    <Panel title='API keys'>
      <Table label='API keys' columns={columns} rows={keys} rowKey={({ id }) => id} empty={empty} />
    </Panel>
  );
}

function KeyActions({ row: { id, tenant, state }, onMade }: { readonly row: KeyRow; readonly onMade: (made: NewKey) => void }) {
  const toast = useToast();
  const change = useChange<NewKey>(['/api/keys', '/api/audit']);
  const send = (request: Change, then: (answer: NewKey) => void): void =>
    change.mutate(request, { onSuccess: then, onError: (error) => toast({ text: describeError(error).message, tone: 'problem' }) });
  if (state !== 'active') return null;
  const path = `/api/keys/${encodeURIComponent(id)}`;
  return (
    <span className='row'>
      <Button
        busy={change.isPending}
        aria-label={`Rotate the key of ${tenant}`}
        title='A new secret; the old one works for a day more'
        onClick={() => send({ method: 'POST', path: `${path}/rotate` }, onMade)}
      >
        Rotate
      </Button>
      <Button
        kind='danger'
        busy={change.isPending}
        aria-label={`Revoke the key of ${tenant}`}
        onClick={() => send({ method: 'DELETE', path }, () => toast({ text: `The key ${id} of ${tenant} is refused from now on.` }))}
      >
        Revoke
      </Button>
    </span>
  );
}

const COLUMNS: readonly Column<KeyRow>[] = [
  { id: 'tenant', title: 'Tenant', render: ({ tenant, id }) => `${tenant} (${id})` },
  { id: 'state', title: 'State', render: ({ state }) => <Status tone={TONES[state]} word={state} /> },
  { id: 'limits', title: 'May', grow: true, render: (row) => <span title={describeKey(row)}>{describeKey(row)}</span> },
  { id: 'expires', title: 'Until', render: ({ expiresMs }) => (expiresMs === null ? 'no end' : formatMoment(expiresMs)) },
  { id: 'running', title: 'Running', align: 'end', render: ({ use }) => formatCount(use.running) },
  { id: 'today', title: 'Today', align: 'end', render: ({ use }) => formatUsd(use.todayUsd) },
  { id: 'month', title: 'Month', align: 'end', render: ({ use }) => formatUsd(use.monthUsd) },
  { id: 'used', title: 'Last used', render: ({ use }) => orDash(use.lastUsedMs, formatMoment) },
];

/** `console, every model, chat, 60 requests/min, $2.00 a day, normal` */
export function describeKey({ scopes, limits, priority }: Pick<KeyRow, 'scopes' | 'limits' | 'priority'>): string {
  const limit = (value: number | null, words: (value: number) => string): string[] => (value === null ? [] : [words(value)]);
  return [
    ...(scopes.admin ? ['console'] : []),
    scopes.models?.join(', ') ?? 'every model',
    scopes.endpoints?.join(', ') ?? 'the whole API',
    ...limit(limits.requestsPerMinute, (count) => `${formatCount(count)} requests/min`),
    ...limit(limits.tokensPerMinute, (count) => `${formatCount(count)} tokens/min`),
    ...limit(limits.concurrency, (count) => `${formatCount(count)} at once`),
    ...limit(limits.dailyUsd, (usd) => `${formatUsd(usd)} a day`),
    ...limit(limits.monthlyUsd, (usd) => `${formatUsd(usd)} a month`),
    `priority ${priority}`,
  ].join(', ');
}
