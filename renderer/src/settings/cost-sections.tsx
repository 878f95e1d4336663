// Tariff, hardware, power, and the prices that costs are compared with.
import type { CostSettings } from '../../../engine/contract.ts';
import { NumberField, TextField } from '../parts/field.tsx';
import { Select } from '../parts/select.tsx';
import { RowList } from './row-list.tsx';
import { Section } from './section.tsx';
import { SettingNumber } from './setting-number.tsx';
import type { SettingsPatch } from './use-settings.ts';

export interface CostSectionProps {
  readonly cost: CostSettings;
  readonly save: (patch: SettingsPatch) => Promise<unknown>;
}

type Machine = Pick<CostSettings, 'tariffUsdPerKwh' | 'hardwarePriceUsd' | 'hardwareLifeYears' | 'idleWatts' | 'busyWatts'>;

export function MachineSection({ cost, save }: CostSectionProps) {
  const { tariffUsdPerKwh, hardwarePriceUsd, hardwareLifeYears, idleWatts, busyWatts } = cost;
  const value: Machine = { tariffUsdPerKwh, hardwarePriceUsd, hardwareLifeYears, idleWatts, busyWatts };
  const hint =
    'A request costs its share of the electricity and of the hardware’s price over its life. Watts are used only where the machine does not tell its power.';
  return (
    <Section title='Power and hardware' hint={hint} value={value} save={save} toPatch={(draft) => ({ cost: draft })}>
      {(form) => (
        <div className='settings-grid'>
          <SettingNumber form={form} name='tariffUsdPerKwh' label='Electricity tariff' unit='$ per kWh' />
          <SettingNumber form={form} name='hardwarePriceUsd' label='Price of the hardware' unit='$' />
          <SettingNumber form={form} name='hardwareLifeYears' label='Life of the hardware' unit='years' />
          <SettingNumber form={form} name='idleWatts' label='Power when idle' unit='W' />
          <SettingNumber form={form} name='busyWatts' label='Power when busy' unit='W' />
        </div>
      )}
    </Section>
  );
}

type Prices = Pick<CostSettings, 'upstreamPrices' | 'premium'>;

export function UpstreamSection({ cost: { upstreamPrices, premium }, save }: CostSectionProps) {
  const value: Prices = { upstreamPrices, premium };
  const hint =
    'Savings compare with the premium model’s price for the same tokens. The prices given are as known in 2025: check them with the provider, and edit.';
  return (
    <Section title='Prices of upstream models' hint={hint} value={value} save={save} toPatch={(draft) => ({ cost: draft })}>
      {({ draft, set }) => (
        <>
          <Select
            label='Premium means'
            value={draft.premium}
            options={[...new Set([draft.premium, ...draft.upstreamPrices.map(({ name }) => name)])].map((name) => ({
              value: name,
              label: name || 'nothing',
            }))}
            onChange={(next) => set({ premium: next })}
          />
          <RowList
            rows={draft.upstreamPrices}
            noun='price'
            onChange={(rows) => set({ upstreamPrices: rows })}
            newRow={() => ({ name: '', promptUsdPerMillion: 0, completionUsdPerMillion: 0 })}
          >
            {(row, change) => (
              <>
                <TextField label='Model' value={row.name} onChange={(name) => change({ name })} />
                <NumberField
                  label='Tokens read, $ per million'
                  value={numberOrNull(row.promptUsdPerMillion)}
                  onChange={(usd) => change({ promptUsdPerMillion: usd ?? Number.NaN })}
                />
                <NumberField
                  label='Tokens written, $ per million'
                  value={numberOrNull(row.completionUsdPerMillion)}
                  onChange={(usd) => change({ completionUsdPerMillion: usd ?? Number.NaN })}
                />
              </>
            )}
          </RowList>
        </>
      )}
    </Section>
  );
}

export function RentSection({ cost, save }: CostSectionProps) {
  const value = { rentPrices: cost.rentPrices };
  return (
    <Section
      title='Prices of rented GPUs'
      hint='The Cost screen says what the same device hours would have cost there. The prices given are examples: check and edit.'
      value={value}
      save={save}
      toPatch={(draft) => ({ cost: draft })}
    >
      {({ draft, set }) => (
        <RowList
          rows={draft.rentPrices}
          noun='GPU'
          onChange={(rows) => set({ rentPrices: rows })}
          newRow={() => ({ name: '', usdPerHour: 0 })}
        >
          {(row, change) => (
            <>
              <TextField label='GPU' value={row.name} onChange={(name) => change({ name })} />
              <NumberField
                label='$ per hour'
                value={numberOrNull(row.usdPerHour)}
                onChange={(usd) => change({ usdPerHour: usd ?? Number.NaN })}
              />
            </>
          )}
        </RowList>
      )}
    </Section>
  );
}

const numberOrNull = (value: number): number | null => (Number.isNaN(value) ? null : value);
