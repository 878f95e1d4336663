// Which model answers and why: targets, policy, what another policy would have done, and the last decisions.
import type { RouterNow } from '../../../engine/contract.ts';
import { useRead } from '../api/queries.tsx';
import { formatUsd } from '../format.ts';
import { Loading } from '../parts/empty.tsx';
import { ErrorNote } from '../parts/error-note.tsx';
import { Panel } from '../parts/panel.tsx';
import { Stat } from '../parts/stat.tsx';
import { useSettings } from '../settings/use-settings.ts';
import { Screen } from '../shell/screen.tsx';
import { DecisionsPanel } from './decisions-panel.tsx';
import { PolicySection, TierSection } from './policy-sections.tsx';
import { qualityWords, TargetsPanel } from './targets-panel.tsx';
import { UpstreamKeysPanel, UpstreamsSection } from './upstreams-section.tsx';
import { WhatIfPanel } from './what-if-panel.tsx';
import '../settings/settings.css';
import './router.css';

const EVERY_MS = 2_000;

export function RouterScreen() {
  const { data, error, refetch } = useRead<RouterNow>('/api/router', { everyMs: EVERY_MS });
  const { save } = useSettings();
  return (
    <Screen title='Router'>
      {data === undefined && error !== null && (
        <ErrorNote error={error} what='The router could not be read.' onRetry={() => void refetch()} />
      )}
      {data === undefined && error === null && <Loading lines={8} />}
      {data !== undefined && (
        <>
          <Panel title='Cost and quality'>
            <div className='router-figures'>
              <Stat label='Quality of routed answers' value={qualityWords(data.quality)} />
              <Stat label='Upstreams this month' value={formatUsd(data.upstreamUsd)} />
              <Stat label='Shadow answers today' value={formatUsd(data.shadowUsdToday)} />
            </div>
          </Panel>
          <TargetsPanel targets={data.targets} />
          <DecisionsPanel decisions={data.decisions} />
          <WhatIfPanel qualityBar={data.settings.qualityBar} latencyGoalMs={data.settings.latencyGoalMs} />
          <PolicySection routing={data.settings} save={save} />
          <TierSection routing={data.settings} save={save} />
          <UpstreamsSection routing={data.settings} save={save} />
          <UpstreamKeysPanel upstreams={data.upstreams} />
        </>
      )}
    </Screen>
  );
}
