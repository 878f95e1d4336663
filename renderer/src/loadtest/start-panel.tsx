// What is sent, how much of it and where to; another server is sent a load only after the reader has agreed.
import { useState } from 'react';
import { LOAD_FACTORS, type LoadFactor, type LoadProfile, type LoadTestRequest, type LoadTestRun } from '../../../engine/contract.ts';
import { useChange } from '../api/queries.tsx';
import { useNow } from '../live/use-live.tsx';
import { Button } from '../parts/button.tsx';
import { ErrorNote } from '../parts/error-note.tsx';
import { Check, NumberField, TextField } from '../parts/field.tsx';
import { Panel } from '../parts/panel.tsx';
import { Choice, Select } from '../parts/select.tsx';

interface Wish {
  readonly kind: LoadProfile['kind'];
  readonly factor: LoadFactor;
  readonly minutes: number | null;
  readonly model: string;
  readonly perSecond: number | null;
  readonly promptTokens: number | null;
  readonly answerTokens: number | null;
  readonly elsewhere: boolean;
  readonly url: string;
  readonly key: string;
  readonly agreed: boolean;
}

const FIRST: Wish = {
  kind: 'recorded',
  factor: 2,
  minutes: 5,
  model: '',
  perSecond: 1,
  promptTokens: 200,
  answerTokens: 100,
  elsewhere: false,
  url: '',
  key: '',
  agreed: false,
};
const KINDS = [
  { value: 'recorded', label: 'Recorded peak' },
  { value: 'poisson', label: 'Random arrivals' },
  { value: 'bursts', label: 'Bursts' },
] as const;
const FACTORS = LOAD_FACTORS.map((factor) => ({ value: String(factor), label: `${factor}×`, factor }));
const HELP: Readonly<Record<LoadProfile['kind'], string>> = {
  recorded: 'The busiest minutes of the last 30 days are sent again, faster: same arrivals, models and lengths, synthetic texts.',
  poisson: 'Requests of one length arrive independently of each other.',
  bursts: 'As random arrivals, and ten times as many for five seconds of each minute.',
};

export function StartPanel() {
  const [wish, setWish] = useState(FIRST);
  const set = (part: Partial<Wish>): void => setWish((before) => ({ ...before, ...part }));
  const models = useNow()?.models.filter(({ use }) => use === 'text') ?? [];
  const change = useChange<LoadTestRun>(['/api/loadtests']);
  const request = requestOf(wish, models[0]?.id ?? '');
  const start = (): void => change.mutate({ method: 'POST', path: '/api/loadtests', body: request });
  return (
    <Panel title='New test'>
      <div className='row'>
        <Choice label='What is sent' value={wish.kind} options={KINDS} onChange={(kind) => set({ kind })} />
        <Choice
          label='How many times the load'
          value={String(wish.factor)}
          options={FACTORS}
          onChange={(value) => set({ factor: FACTORS.find((option) => option.value === value)?.factor ?? 2 })}
        />
      </div>
      <p className='quiet'>{HELP[wish.kind]} Whoever is being served meanwhile waits with them.</p>
      <div className='loadtest-fields'>
        <NumberField label='Sends for' unit='min' min={0.1} max={60} value={wish.minutes} onChange={(minutes) => set({ minutes })} />
        {!wish.elsewhere && (
          <Select
            label='Model'
            value={wish.model}
            options={[
              ...(wish.kind === 'recorded' ? [{ value: '', label: 'those recorded' }] : []),
              ...models.map(({ id }) => ({ value: id, label: id })),
            ]}
            onChange={(model) => set({ model })}
          />
        )}
        {wish.kind !== 'recorded' && <SyntheticFields wish={wish} set={set} />}
      </div>
      <Check label='Test another server of my network' checked={wish.elsewhere} onChange={(elsewhere) => set({ elsewhere, model: '' })} />
      {wish.elsewhere && <ElsewhereFields wish={wish} set={set} />}
      {change.error !== null && <ErrorNote error={change.error} what='The load test did not start.' />}
      <div className='row'>
        <Button kind='primary' busy={change.isPending} disabled={request === null} onClick={start}>
          Start the test
        </Button>
        <span className='quiet small'>It can be cancelled at any time; the same by command: millrace loadtest</span>
      </div>
    </Panel>
  );
}

interface PartProps {
  readonly wish: Wish;
  readonly set: (part: Partial<Wish>) => void;
}

function SyntheticFields({ wish, set }: PartProps) {
  return (
    <>
      <NumberField
        label='Rate before the factor'
        unit='requests/s'
        min={0.01}
        max={1_000}
        value={wish.perSecond}
        onChange={(perSecond) => set({ perSecond })}
      />
      <NumberField
        label='Prompts'
        unit='tokens'
        min={1}
        step={1}
        value={wish.promptTokens}
        onChange={(promptTokens) => set({ promptTokens })}
      />
      <NumberField
        label='Answers'
        unit='tokens'
        min={1}
        step={1}
        value={wish.answerTokens}
        onChange={(answerTokens) => set({ answerTokens })}
      />
    </>
  );
}

function ElsewhereFields({ wish, set }: PartProps) {
  return (
    <>
      <div className='loadtest-fields'>
        <TextField
          label='Address'
          kind='url'
          placeholder='http://192.168.1.20:8000'
          hint='Any server with OpenAI’s API, on a private network.'
          value={wish.url}
          onChange={(url) => set({ url })}
        />
        <TextField label='Its model' hint='As that server calls it.' value={wish.model} onChange={(model) => set({ model })} />
        <TextField
          label='API key'
          kind='password'
          hint='If it wants one. It is not stored.'
          value={wish.key}
          onChange={(key) => set({ key })}
        />
      </div>
      <Check
        label='That server is mine, or its owner agrees to be sent this load.'
        checked={wish.agreed}
        onChange={(agreed) => set({ agreed })}
      />
    </>
  );
}

/** Null: something is missing. */
function requestOf(wish: Wish, firstModel: string): LoadTestRequest | null {
  const { kind, factor, minutes, perSecond, promptTokens, answerTokens, elsewhere, url, key, agreed } = wish;
  const model = wish.model === '' && !elsewhere && kind !== 'recorded' ? firstModel : wish.model;
  if (minutes === null || (elsewhere && (!agreed || url === '' || model === ''))) return null;
  const where = { url: elsewhere ? url : null, key: elsewhere && key !== '' ? key : null };
  const shared = { factor, minutes, ...where, model: model === '' ? null : model };
  if (kind === 'recorded') return { profile: { kind }, ...shared };
  if (perSecond === null || promptTokens === null || answerTokens === null || model === '') return null;
  return { profile: { kind, model, perSecond, promptTokens, answerTokens }, ...shared };
}
