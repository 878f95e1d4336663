// The first screen: what the machine is doing, who is waiting, what it costs, and whether the quality is still there.
import { useLive } from '../live/use-live.tsx';
import { Loading } from '../parts/empty.tsx';
import { Screen } from '../shell/screen.tsx';
import { describeEngine } from '../shell/sentence.ts';
import { CostPanel } from './cost-panel.tsx';
import { DevicesPanel } from './devices-panel.tsx';
import { ModelsPanel } from './models-panel.tsx';
import { QueuePanel } from './queue-panel.tsx';
import { RequestsPanel } from './requests-panel.tsx';
import { StateSentence } from './state-sentence.tsx';
import { TimelinePanel } from './timeline-panel.tsx';
import './now.css';

export function NowScreen() {
  const live = useLive();
  const { now } = live;
  return (
    <Screen title='Now' hideTitle>
      <StateSentence sentence={describeEngine(live)} />
      {now === null ? (
        <Loading lines={8} label='Waiting for the first word of the engine' />
      ) : (
        <>
          <div className='now-top'>
            <DevicesPanel devices={now.devices} />
            <QueuePanel queue={now.queue} />
            <CostPanel cost={now.cost} quality={now.quality} />
          </div>
          <ModelsPanel models={now.models} />
          <RequestsPanel requests={now.requests} queue={now.queue} />
          <TimelinePanel models={now.models} />
        </>
      )}
    </Screen>
  );
}
