// The drill: what it does, whether it may start, where it is, and what users would have seen in the last ones.
import { useState } from 'react';
import type { DrillNow, DrillReport, DrillStep } from '../../../engine/contract.ts';
import { describeError } from '../api/api-error.ts';
import { useChange } from '../api/queries.tsx';
import { formatDuration, formatMoment, orDash } from '../format.ts';
import { Button } from '../parts/button.tsx';
import { Empty } from '../parts/empty.tsx';
import { Panel } from '../parts/panel.tsx';
import { Status, type Tone } from '../parts/status.tsx';
import { useToast } from '../parts/toast.tsx';

const NAMES: Readonly<Record<DrillStep['step'] | 'baseline', string>> = {
  baseline: 'Probing without a fault',
  runner_death: 'A model’s process dies',
  full_queue: 'The queue fills up',
  upstream_cut: 'An upstream is cut off',
};
const TONES: Readonly<Record<DrillStep['verdict'], Tone>> = { passed: 'ok', failed: 'problem', skipped: 'idle' };

export function DrillPanel({ drill }: { readonly drill: DrillNow }) {
  const { running, reports } = drill;
  return (
    <Panel title='Drill' actions={<DrillButton drill={drill} />}>
      <p className='quiet'>
        Kills a model’s process, fills its queue and cuts an upstream, and tells what its own requests met. Whoever is being served meets
        the same for up to a minute.
      </p>
      {running !== null && (
        <p role='status'>
          <Status tone='busy' word={`${NAMES[running.step]}…`} />
        </p>
      )}
      {reports.length === 0 && running === null && (
        <Empty title='Never drilled.'>Nobody knows yet what users see when something breaks.</Empty>
      )}
      <ul className='stack'>
        {reports.slice(0, 5).map((report) => (
          <li key={report.startedMs} className='drill'>
            <Report report={report} />
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function DrillButton({ drill: { running, refusal } }: { readonly drill: DrillNow }) {
  const [refused, setRefused] = useState(false);
  const toast = useToast();
  const change = useChange<DrillNow>(['/api/checklist']);
  const start = (force: boolean): void => {
    if (refusal !== null && !force) return setRefused(true);
    setRefused(false);
    change.mutate(
      { method: 'POST', path: '/api/checklist/drill', body: { force } },
      { onError: (error) => toast({ text: describeError(error).message, tone: 'problem' }) },
    );
  };
  if (refused && refusal !== null)
    return (
      <>
        <span className='quiet wrap-anywhere'>{refusal}</span>
        <Button kind='danger' onClick={() => start(true)}>
          Drill anyway
        </Button>
        <Button onClick={() => setRefused(false)}>Not now</Button>
      </>
    );
  return (
    <Button busy={running !== null || change.isPending} onClick={() => start(false)}>
      Run the drill
    </Button>
  );
}

function Report({ report }: { readonly report: DrillReport }) {
  const { endedMs, model, passed, forced, baselineTtftMs, steps } = report;
  return (
    <>
      <div className='row'>
        <Status tone={passed ? 'ok' : 'problem'} word={passed ? 'passed' : 'failed'} />
        <strong className='wrap-anywhere'>{model}</strong>
        <span className='quiet push'>
          {formatMoment(endedMs)}
          {forced ? ', forced' : ''}
        </span>
      </div>
      <p className='quiet small'>First token without a fault: {orDash(baselineTtftMs, formatDuration)}</p>
      <ul className='drill-steps'>
        {steps.map(({ step, verdict, sentence }) => (
          <li key={step}>
            <Status tone={TONES[verdict]} word={`${NAMES[step]}: ${verdict}`} />
            <p className='wrap-anywhere'>{sentence}</p>
          </li>
        ))}
      </ul>
    </>
  );
}
