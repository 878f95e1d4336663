// Objectives of single models, where they differ from those of all.
import type { Slo, SloSettings } from '../../../engine/contract.ts';
import { NumberField, TextField } from '../parts/field.tsx';
import { RowList } from './row-list.tsx';
import { Section } from './section.tsx';
import type { SettingsPatch } from './use-settings.ts';

interface Row extends Slo {
  readonly model: string;
}

export interface SloModelsProps {
  readonly slos: SloSettings;
  readonly save: (patch: SettingsPatch) => Promise<unknown>;
}

const FIELDS = [
  { name: 'ttftMs', label: 'First token, ms' },
  { name: 'interTokenMs', label: 'Between tokens, ms' },
  { name: 'totalMs', label: 'Whole, ms' },
] as const;

export function SloModels({ slos, save }: SloModelsProps) {
  const rows = Object.entries(slos.models).map(([model, slo]): Row => ({ model, ...slo }));
  return (
    <Section title='Objectives of single models' value={{ rows }} save={save} toPatch={(draft) => toPatch(slos, draft.rows)}>
      {({ draft, set }) => (
        <RowList
          rows={draft.rows}
          noun='model'
          onChange={(next) => set({ rows: [...next] })}
          newRow={() => ({ model: '', ttftMs: null, interTokenMs: null, totalMs: null })}
        >
          {(row, change) => (
            <>
              <TextField label='Model' value={row.model} onChange={(model) => change({ model })} />
              {FIELDS.map(({ name, label }) => (
                <NumberField key={name} label={label} value={row[name]} onChange={(value) => change({ [name]: value })} />
              ))}
            </>
          )}
        </RowList>
      )}
    </Section>
  );
}

/** Models that are no longer in the list are taken out by null, since objects are merged. */
function toPatch(slos: SloSettings, rows: readonly Row[]): SettingsPatch {
  const kept = rows.filter(({ model }) => model !== '').map(({ model, ...slo }) => [model, slo] as const);
  const removed = Object.keys(slos.models).map((model) => [model, null] as const);
  // The contract's type has no null; the engine takes it as "remove".
  return { slos: { models: Object.fromEntries([...removed, ...kept]) as Record<string, Slo> } };
}
