// The quantisation lab: what each variant of a model takes and loses, measured here, and which of them answers.
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import type { JobStatus, ModelVariants } from '../../../engine/contract.ts';
import { useRead } from '../api/queries.tsx';
import { useNow } from '../live/use-live.tsx';
import { JobsPanel } from '../models/jobs-panel.tsx';
import { Button } from '../parts/button.tsx';
import { Empty, Loading } from '../parts/empty.tsx';
import { ErrorNote } from '../parts/error-note.tsx';
import { Panel } from '../parts/panel.tsx';
import { Select } from '../parts/select.tsx';
import { goTo, usePlaceQuery } from '../shell/hash-location.ts';
import { Screen } from '../shell/screen.tsx';
import { disturbance } from './figures.ts';
import { MakePanel } from './make-panel.tsx';
import { OwnTextDialog } from './own-text-dialog.tsx';
import { useLab, variantsPath, type Lab } from './use-lab.ts';
import { VariantTable } from './variant-table.tsx';
import './lab.css';

const NO_JOBS: readonly JobStatus[] = [];

export function LabScreen() {
  const now = useNow();
  const [query, change] = usePlaceQuery();
  const models = now?.models.map(({ id }) => id) ?? null;
  const jobs = now?.jobs.filter(({ kind }) => kind !== 'pull') ?? NO_JOBS;
  const wanted = query.get('model');
  const model = wanted !== null && models?.includes(wanted) === true ? wanted : models?.[0];
  const chooser = model !== undefined && models !== null && (
    <Select
      label='Model'
      hideLabel
      value={model}
      options={models.map((id) => ({ value: id, label: id }))}
      onChange={(id) => change({ model: id })}
    />
  );
  return (
    <Screen title='Lab' actions={chooser}>
      <JobsPanel jobs={jobs} title='Quantising and measuring' />
      {models === null && <Loading lines={6} label='Loading the models' />}
      {models !== null && model === undefined && (
        <Empty title='No model yet' action={<Button onClick={() => goTo('/models')}>Get a model</Button>}>
          Once a model is installed, this place shows what fewer bits save, and what they cost.
        </Empty>
      )}
      {model !== undefined && <ModelLab key={model} model={model} ended={jobs.filter(({ endedMs }) => endedMs !== null).length} />}
    </Screen>
  );
}

interface ModelLabProps {
  readonly model: string;
  /** Jobs that have ended: when one more has, the table is read again. */
  readonly ended: number;
}

function ModelLab({ model, ended }: ModelLabProps) {
  const client = useQueryClient();
  const path = variantsPath(model);
  const { data, error, refetch } = useRead<ModelVariants>(path);
  const lab = useLab(model);
  useEffect(() => void client.invalidateQueries({ queryKey: [path] }), [client, path, ended]);
  if (error !== null) return <ErrorNote error={error} what='The variants could not be read.' onRetry={() => void refetch()} />;
  if (data === undefined) return <Loading lines={6} label='Loading the variants' />;
  return <Variants table={data} lab={lab} />;
}

function Variants({ table, lab }: { readonly table: ModelVariants; readonly lab: Lab }) {
  const [writing, setWriting] = useState(false);
  const { previousVariant, hasOwnText } = table;
  const actions = (
    <>
      {previousVariant !== null && (
        <Button busy={lab.busy} onClick={() => void lab.rollBack()}>
          Roll back to {previousVariant}
        </Button>
      )}
      <Button onClick={() => setWriting(true)}>{hasOwnText ? 'Change my text' : 'Measure on my text'}</Button>
    </>
  );
  const commands = { promote: (name: string) => void lab.promote(name), measure: (name: string) => void lab.measure(name), busy: lab.busy };
  return (
    <>
      {lab.error !== null && <ErrorNote error={lab.error} what='That was not done.' />}
      <Panel title='Variants' actions={actions}>
        <VariantTable table={table} commands={commands} />
        <Reasons table={table} />
      </Panel>
      <MakePanel table={table} lab={lab} />
      <OwnTextDialog open={writing} hasText={hasOwnText} onClose={() => setWriting(false)} onSave={(text) => void lab.setText(text)} />
    </>
  );
}

/** Why each may answer or not, and what made a measurement doubtful. */
function Reasons({ table: { variants } }: { readonly table: ModelVariants }) {
  return (
    <ul className='variant-reasons quiet'>
      {variants.map(({ name, gate, measured }) => {
        const doubt = measured === null ? null : disturbance(measured);
        return (
          <li key={name}>
            {gate.reason}
            {doubt !== null && ` ${doubt}`}
          </li>
        );
      })}
    </ul>
  );
}
