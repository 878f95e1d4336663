// The policy, the tiers with their targets, and further names, as forms.
import { TIERS, type RoutingSettings, type Tier } from '../../../engine/contract.ts';
import { Check, Field, TextField } from '../parts/field.tsx';
import { RowList } from '../settings/row-list.tsx';
import { Section } from '../settings/section.tsx';
import { SettingNumber } from '../settings/setting-number.tsx';
import type { SettingsPatch } from '../settings/use-settings.ts';

export interface RoutingSectionProps {
  readonly routing: RoutingSettings;
  readonly save: (patch: SettingsPatch) => Promise<unknown>;
}

export function PolicySection({ routing, save }: RoutingSectionProps) {
  const { qualityBar, latencyGoalMs, degrade, firstTokenTimeoutMs, shadowShare, shadowDailyUsd } = routing;
  const value = { qualityBar, latencyGoalMs, degrade, firstTokenTimeoutMs, shadowShare, shadowDailyUsd };
  const hint =
    'The cheapest target that should hold the bar answers. Quality is measured by thumbs and by a sample that a stronger target answers too.';
  return (
    <Section title='Policy' hint={hint} value={value} save={save} toPatch={(draft) => ({ routing: draft })}>
      {(form) => (
        <>
          <Check
            label='A smaller model may answer where the goal would be missed'
            checked={form.draft.degrade}
            onChange={(on) => form.set({ degrade: on })}
          />
          <div className='settings-grid'>
            <SettingNumber form={form} name='qualityBar' label='Quality bar' unit='0 to 1' />
            <SettingNumber form={form} name='latencyGoalMs' label='First token within' unit='ms' hint='Empty: no goal.' optional />
            <SettingNumber form={form} name='firstTokenTimeoutMs' label='Ask the next one after' unit='ms' hint='Empty: never.' optional />
            <SettingNumber form={form} name='shadowShare' label='Share that is graded' unit='0 to 1' />
            <SettingNumber form={form} name='shadowDailyUsd' label='Money for grading a day' unit='$' />
          </div>
        </>
      )}
    </Section>
  );
}

export function TierSection({ routing: { tiers, aliases }, save }: RoutingSectionProps) {
  const hint =
    'One target a line, best first: model, model:variant or upstream/model. All three empty: made from what is installed, by size.';
  return (
    <Section title='Tiers and names' hint={hint} value={{ ...tiers, aliases }} save={save} toPatch={toPatch}>
      {({ draft, set, error }) => (
        <>
          <div className='settings-grid'>
            {TIERS.map((tier) => (
              <Field key={tier} label={tier} error={error(tier)}>
                {(ties) => (
                  <textarea
                    {...ties}
                    rows={4}
                    value={draft[tier].join('\n')}
                    onChange={({ target }) => set({ [tier]: target.value.split('\n') })}
                  />
                )}
              </Field>
            ))}
          </div>
          <RowList
            rows={draft.aliases}
            noun='name'
            onChange={(rows) => set({ aliases: rows })}
            newRow={() => ({ name: '', target: 'auto' })}
          >
            {(row, change) => (
              <>
                <TextField label='Asked for as' value={row.name} onChange={(name) => change({ name })} />
                <TextField label='Means' value={row.target} onChange={(target) => change({ target })} />
              </>
            )}
          </RowList>
        </>
      )}
    </Section>
  );
}

type TierDraft = Readonly<Record<Tier, readonly string[]>> & Pick<RoutingSettings, 'aliases'>;

function toPatch({ fast, balanced, premium, aliases }: TierDraft): SettingsPatch {
  const names = (lines: readonly string[]): readonly string[] => lines.map((line) => line.trim()).filter((line) => line !== '');
  return { routing: { tiers: { fast: names(fast), balanced: names(balanced), premium: names(premium) }, aliases } };
}
