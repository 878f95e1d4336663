// Objectives, how long models and history are kept, and the response cache.
import type { CacheSettings, Settings, Slo } from '../../../engine/contract.ts';
import { Check, TextField } from '../parts/field.tsx';
import { Select } from '../parts/select.tsx';
import { Section } from './section.tsx';
import { SettingNumber } from './setting-number.tsx';
import { SloModels } from './slo-models.tsx';
import type { SettingsPatch } from './use-settings.ts';

export interface ServingSectionProps {
  readonly settings: Settings;
  readonly save: (patch: SettingsPatch) => Promise<unknown>;
}

export function SloSection({ settings: { slos }, save }: ServingSectionProps) {
  const hint = 'What the latency alert judges by. An empty box means no objective.';
  return (
    <>
      <Section
        title='Service level objectives'
        hint={hint}
        value={slos.fallback}
        save={save}
        toPatch={(draft: Slo) => ({ slos: { fallback: draft } })}
      >
        {(form) => (
          <div className='settings-grid'>
            <SettingNumber form={form} name='ttftMs' label='Time to first token' unit='ms' optional />
            <SettingNumber form={form} name='interTokenMs' label='Between tokens' unit='ms' optional />
            <SettingNumber form={form} name='totalMs' label='Whole request' unit='ms' optional />
          </div>
        )}
      </Section>
      <SloModels save={save} />
    </>
  );
}

export function RetentionSection({ settings: { retention }, save }: ServingSectionProps) {
  return (
    <Section
      title='How long history is kept'
      hint='Fine history is rolled up into coarser steps before it is dropped.'
      value={retention}
      save={save}
      toPatch={(draft) => ({ retention: draft })}
    >
      {(form) => (
        <div className='settings-grid'>
          <SettingNumber form={form} name='secondsHours' label='Seconds' unit='hours' />
          <SettingNumber form={form} name='minutesDays' label='Minutes' unit='days' />
          <SettingNumber form={form} name='hoursDays' label='Hours' unit='days' />
          <SettingNumber form={form} name='requestsDays' label='Single requests' unit='days' />
        </div>
      )}
    </Section>
  );
}

export function UnloadSection({ settings: { idleUnloadMinutes }, save }: ServingSectionProps) {
  return (
    <Section
      title='Idle models'
      hint='A model that nobody asks is unloaded, so that its memory returns. Pinned models stay.'
      value={{ idleUnloadMinutes }}
      save={save}
      toPatch={(draft) => draft}
    >
      {(form) => (
        <div className='settings-grid'>
          <SettingNumber form={form} name='idleUnloadMinutes' label='Unload after' unit='minutes' hint='Empty: never.' optional />
        </div>
      )}
    </Section>
  );
}

const SHARING = [
  { value: 'own', label: 'each tenant has its own' },
  { value: 'shared', label: 'tenants share answers' },
] as const;

/** The cache with its size in MB, as it is edited. */
type CacheDraft = Omit<CacheSettings, 'maxBytes'> & { readonly maxMegabytes: number };

export function CacheSection({ settings: { cache }, save }: ServingSectionProps) {
  const { maxBytes, ...rest } = cache;
  const value: CacheDraft = { ...rest, maxMegabytes: Math.round(maxBytes / 1e6) };
  const toPatch = ({ maxMegabytes, ...draft }: CacheDraft): SettingsPatch => ({ cache: { ...draft, maxBytes: maxMegabytes * 1e6 } });
  return (
    <Section
      title='Response cache'
      hint='The same question at temperature 0 is answered from what was answered before.'
      value={value}
      save={save}
      toPatch={toPatch}
    >
      {(form) => (
        <>
          <Check label='Keep answers' checked={form.draft.enabled} onChange={(enabled) => form.set({ enabled })} />
          <div className='settings-grid'>
            <SettingNumber form={form} name='maxMegabytes' label='At most' unit='MB' />
            <SettingNumber form={form} name='maxAgeHours' label='For at most' unit='hours' />
            <Select
              label='Between tenants'
              value={form.draft.shared ? 'shared' : 'own'}
              options={SHARING}
              onChange={(sharing) => form.set({ shared: sharing === 'shared' })}
            />
            <SettingNumber
              form={form}
              name='semanticSimilarity'
              label='Least similarity of a like question'
              unit='0.5 to 1'
              hint='Empty: only the same question.'
              optional
            />
            <TextField
              label='Embedding model for that'
              placeholder='the only one installed'
              value={form.draft.semanticModel ?? ''}
              error={form.error('semanticModel')}
              onChange={(text) => form.set({ semanticModel: text === '' ? null : text })}
            />
          </div>
        </>
      )}
    </Section>
  );
}
