// When rows of batches may run.
import type { BatchSettings } from '../../../engine/contract.ts';
import { Check, NumberField, TextField } from '../parts/field.tsx';
import { RowList } from './row-list.tsx';
import { Section } from './section.tsx';
import type { ServingSectionProps } from './serving-sections.tsx';
import { SettingNumber } from './setting-number.tsx';

export function BatchSection({ settings: { batch }, save }: ServingSectionProps) {
  const hint = 'Interactive requests always go first. Hours are of this machine’s clock, such as 22:00; a span may go over midnight.';
  return (
    <Section title='When batches run' hint={hint} value={batch} save={save} toPatch={(draft: BatchSettings) => ({ batch: draft })}>
      {(form) => (
        <>
          <Check label='Only on mains power' checked={form.draft.mainsOnly} onChange={(mainsOnly) => form.set({ mainsOnly })} />
          <div className='settings-grid'>
            <SettingNumber form={form} name='maxCelsius' label='Not above' unit='°C' hint='Empty: at any temperature.' optional />
            <SettingNumber form={form} name='maxUsdPerKwh' label='Not above' unit='$ per kWh' hint='Empty: at any price.' optional />
            <SettingNumber form={form} name='maxRows' label='Rows at once' hint='Empty: as many as the model has slots.' optional />
          </div>
          <RowList
            rows={form.draft.windows}
            noun='span of hours'
            onChange={(windows) => form.set({ windows })}
            newRow={() => ({ from: '22:00', to: '06:00' })}
          >
            {(row, change) => (
              <>
                <TextField label='From' value={row.from} onChange={(from) => change({ from })} />
                <TextField label='To' value={row.to} onChange={(to) => change({ to })} />
              </>
            )}
          </RowList>
          <RowList
            rows={form.draft.tariffs}
            noun='tariff'
            onChange={(tariffs) => form.set({ tariffs })}
            newRow={() => ({ from: '22:00', to: '06:00', usdPerKwh: 0.2 })}
          >
            {(row, change) => (
              <>
                <TextField label='From' value={row.from} onChange={(from) => change({ from })} />
                <TextField label='To' value={row.to} onChange={(to) => change({ to })} />
                <NumberField
                  label='$ per kWh'
                  value={Number.isNaN(row.usdPerKwh) ? null : row.usdPerKwh}
                  onChange={(usd) => change({ usdPerKwh: usd ?? Number.NaN })}
                />
              </>
            )}
          </RowList>
        </>
      )}
    </Section>
  );
}
