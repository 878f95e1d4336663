// Servers elsewhere whose models can answer: their addresses, models, cap and privacy as a form; their keys apart.
import { useState } from 'react';
import type { RoutingSettings, UpstreamModel, UpstreamNow, UpstreamSettings } from '../../../engine/contract.ts';
import { describeError } from '../api/api-error.ts';
import { useChange } from '../api/queries.tsx';
import { Button } from '../parts/button.tsx';
import { Check, TextField } from '../parts/field.tsx';
import { Panel } from '../parts/panel.tsx';
import { Select } from '../parts/select.tsx';
import { Status } from '../parts/status.tsx';
import { useToast } from '../parts/toast.tsx';
import { RowList } from '../settings/row-list.tsx';
import { Section } from '../settings/section.tsx';
import { SettingNumber } from '../settings/setting-number.tsx';
import type { RoutingSectionProps } from './policy-sections.tsx';

const PRIVACY = [
  { value: 'nobody', label: 'nobody’s' },
  { value: 'listed', label: 'those of the tenants listed' },
  { value: 'everybody', label: 'everybody’s' },
] as const;
const APIS = [
  { value: 'openai', label: 'OpenAI-compatible' },
  { value: 'anthropic', label: 'Anthropic' },
] as const;
const NEW_MODEL = { contextLength: 128_000, maxTokens: 4_096 };
const newUpstream = (): UpstreamSettings => ({ name: '', api: 'openai', baseUrl: '', models: [], continuesAnswers: false });

type Draft = Pick<RoutingSettings, 'upstreams' | 'upstreamFor' | 'upstreamTenants' | 'upstreamMonthlyUsd'>;

export function UpstreamsSection({ routing, save }: RoutingSectionProps) {
  const { upstreams, upstreamFor, upstreamTenants, upstreamMonthlyUsd } = routing;
  const value: Draft = { upstreams, upstreamFor, upstreamTenants, upstreamMonthlyUsd };
  const hint =
    'Prompts leave this machine only as you allow here, and the monthly cap is never passed. Prices are in the settings, by the model’s name.';
  return (
    <Section title='Upstreams' hint={hint} value={value} save={save} toPatch={(draft: Draft) => ({ routing: draft })}>
      {(form) => (
        <>
          <div className='settings-grid'>
            <Select
              label='Prompts that may leave this machine'
              value={form.draft.upstreamFor}
              options={PRIVACY}
              onChange={(who) => form.set({ upstreamFor: who })}
            />
            <TextField
              label='Tenants listed'
              value={form.draft.upstreamTenants.join(',')}
              onChange={(text) => form.set({ upstreamTenants: text === '' ? [] : text.split(',') })}
            />
            <SettingNumber form={form} name='upstreamMonthlyUsd' label='At most a month' unit='$' hint='Empty: no limit.' optional />
          </div>
          <RowList rows={form.draft.upstreams} noun='upstream' onChange={(rows) => form.set({ upstreams: rows })} newRow={newUpstream}>
            {(row, change) => <UpstreamFields row={row} change={change} />}
          </RowList>
        </>
      )}
    </Section>
  );
}

interface UpstreamFieldsProps {
  readonly row: UpstreamSettings;
  readonly change: (part: Partial<UpstreamSettings>) => void;
}

function UpstreamFields({ row, change }: UpstreamFieldsProps) {
  return (
    <>
      <TextField label='Name' value={row.name} onChange={(name) => change({ name })} />
      <Select label='API' value={row.api} options={APIS} onChange={(api) => change({ api })} />
      <TextField label='Address' kind='url' placeholder='https://…/v1' value={row.baseUrl} onChange={(baseUrl) => change({ baseUrl })} />
      <TextField
        label='Models, with commas'
        value={row.models.map(({ name }) => name).join(',')}
        onChange={(text) => change({ models: modelsOf(text, row.models) })}
      />
      <Check label='Continues answers' checked={row.continuesAnswers} onChange={(on) => change({ continuesAnswers: on })} />
    </>
  );
}

/** Models that stay keep their limits. */
export function modelsOf(text: string, before: readonly UpstreamModel[]): readonly UpstreamModel[] {
  if (text === '') return [];
  return text.split(',').map((name) => before.find((model) => model.name === name.trim()) ?? { name: name.trim(), ...NEW_MODEL });
}

/** Nothing without upstreams. */
export function UpstreamKeysPanel({ upstreams }: { readonly upstreams: readonly UpstreamNow[] }) {
  if (upstreams.length === 0) return null;
  return (
    <Panel title='Keys of upstreams'>
      <p className='quiet'>Kept encrypted, and never shown again.</p>
      {upstreams.map((upstream) => (
        <UpstreamKey key={upstream.name} upstream={upstream} />
      ))}
    </Panel>
  );
}

function UpstreamKey({ upstream: { name, hasKey } }: { readonly upstream: UpstreamNow }) {
  const [key, setKey] = useState('');
  const toast = useToast();
  const change = useChange(['/api/router']);
  const send = (next: string | null): void =>
    change.mutate(
      { method: 'PUT', path: `/api/router/upstreams/${encodeURIComponent(name)}/key`, body: { key: next } },
      {
        onSuccess: () => {
          setKey('');
          toast({ text: next === null ? `The key of ${name} is forgotten.` : `The key of ${name} is kept.` });
        },
        onError: (error) => toast({ text: describeError(error).message, tone: 'problem' }),
      },
    );
  return (
    <div className='router-what-if'>
      <TextField label={`Key of ${name}`} kind='password' value={key} onChange={setKey} />
      <Button busy={change.isPending} disabled={key === ''} onClick={() => send(key)}>
        Keep
      </Button>
      <Button disabled={!hasKey} onClick={() => send(null)}>
        Forget
      </Button>
      <Status tone={hasKey ? 'ok' : 'warning'} word={hasKey ? 'has a key' : 'no key'} />
    </div>
  );
}
