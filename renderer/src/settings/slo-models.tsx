// Objectives of single models: what holds for each, where that comes from, and the user's own in their place.
import type { ModelSlo, Slo, SlosAnswer } from '../../../engine/contract.ts';
import { useRead } from '../api/queries.tsx';
import { Button } from '../parts/button.tsx';
import { ErrorNote } from '../parts/error-note.tsx';
import { NumberField } from '../parts/field.tsx';
import { Section } from './section.tsx';
import type { SettingsPatch } from './use-settings.ts';

const FIELDS = [
  { name: 'ttftMs', label: 'First token, ms' },
  { name: 'interTokenMs', label: 'Between tokens, ms' },
  { name: 'totalMs', label: 'Whole, ms' },
] as const;

const SOURCES: Readonly<Record<ModelSlo['source'], string>> = {
  yours: 'yours',
  calibration: 'from calibration',
  fallback: 'as for all models',
};

const HINT =
  'Until you set your own, a model’s objectives come from how fast its first requests were that had it to themselves; before there are ten, those above hold.';

export function SloModels({ save }: { readonly save: (patch: SettingsPatch) => Promise<unknown> }) {
  const { data, error, refetch } = useRead<SlosAnswer>('/api/slos');
  if (data === undefined)
    return error === null ? null : <ErrorNote error={error} what='The objectives could not be read.' onRetry={() => void refetch()} />;
  if (data.models.length === 0) return null;
  const { fallback, models } = data;
  return (
    <Section
      title='Objectives of single models'
      hint={HINT}
      value={{ rows: models }}
      save={save}
      toPatch={({ rows }) => ownObjectives(models, rows)}
    >
      {({ draft: { rows }, set }) => (
        <div className='stack'>
          {rows.map((row) => (
            <ModelObjectives
              key={row.model}
              row={row}
              fallback={fallback}
              onChange={(next) => set({ rows: rows.map((each) => (each.model === next.model ? next : each)) })}
            />
          ))}
        </div>
      )}
    </Section>
  );
}

interface ModelObjectivesProps {
  readonly row: ModelSlo;
  readonly fallback: Slo;
  readonly onChange: (row: ModelSlo) => void;
}

function ModelObjectives({ row, fallback, onChange }: ModelObjectivesProps) {
  const { model, slo, source, calibrated } = row;
  return (
    <div className='settings-row' role='group' aria-label={`Objectives of ${model}`}>
      <span className='settings-name'>
        <strong className='ellipsis' title={model}>
          {model}
        </strong>
        <span className='quiet small'>{SOURCES[source]}</span>
      </span>
      {FIELDS.map(({ name, label }) => (
        <NumberField
          key={name}
          label={label}
          value={slo[name]}
          onChange={(value) => onChange({ ...row, source: 'yours', slo: { ...slo, [name]: value } })}
        />
      ))}
      <Button
        disabled={source !== 'yours'}
        aria-label={`Reset the objectives of ${model}`}
        onClick={() => onChange({ ...row, source: calibrated === null ? 'fallback' : 'calibration', slo: calibrated ?? fallback })}
      >
        Reset
      </Button>
    </div>
  );
}

/** Models that have lost their own objectives are taken out by null, since objects are merged. */
export function ownObjectives(before: readonly ModelSlo[], after: readonly ModelSlo[]): SettingsPatch {
  const own = after.filter(({ source }) => source === 'yours').map(({ model, slo }) => [model, slo] as const);
  const lost = before.filter(({ source }) => source === 'yours').map(({ model }) => [model, null] as const);
  // The contract's type has no null; the engine takes it as "remove".
  return { slos: { models: Object.fromEntries([...lost, ...own]) as Record<string, Slo> } };
}
