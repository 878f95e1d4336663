// The test that runs, or how the last one ended: what is sent, answered, failed, and how long it takes yet.
import type { LoadTestRun } from '../../../engine/contract.ts';
import { describeError } from '../api/api-error.ts';
import { useChange } from '../api/queries.tsx';
import { formatCount, formatDuration, formatSpan, orDash } from '../format.ts';
import { Button } from '../parts/button.tsx';
import { Panel } from '../parts/panel.tsx';
import { Stat } from '../parts/stat.tsx';
import { Status, type Tone } from '../parts/status.tsx';
import { useToast } from '../parts/toast.tsx';

const TONES: Readonly<Record<LoadTestRun['state'], Tone>> = {
  preparing: 'busy',
  sending: 'busy',
  finishing: 'busy',
  done: 'ok',
  failed: 'problem',
  cancelled: 'idle',
};

export function RunPanel({ run }: { readonly run: LoadTestRun }) {
  const { state, step, planned, sent, answered, failed, good, ttftP50Ms, etaMs, reason } = run;
  const isOver = state === 'done' || state === 'failed' || state === 'cancelled';
  // What ended well is told by its report.
  if (state === 'done') return null;
  return (
    <Panel title={isOver ? 'Last test' : 'Test under way'} actions={isOver ? undefined : <Cancel />}>
      <p role='status'>
        <Status tone={TONES[state]} word={step} />
      </p>
      {reason !== null && <p className='wrap-anywhere'>{reason}</p>}
      {!isOver && <progress aria-label='Requests sent' max={Math.max(1, planned)} value={planned === 0 ? undefined : sent} />}
      {planned > 0 && (
        <div className='loadtest-stats'>
          <Stat label='Sent' value={`${formatCount(sent)} of ${formatCount(planned)}`} />
          <Stat label='Answered' value={formatCount(answered)} />
          <Stat label='First token in time' value={formatCount(good)} />
          <Stat label='Failed' value={formatCount(failed)} />
          <Stat label='First token, last 20' value={orDash(ttftP50Ms, formatDuration)} />
          <Stat label='Sends for' value={orDash(etaMs, formatSpan)} />
        </div>
      )}
    </Panel>
  );
}

function Cancel() {
  const toast = useToast();
  const change = useChange(['/api/loadtests']);
  const cancel = (): void =>
    change.mutate(
      { method: 'DELETE', path: '/api/loadtests/current' },
      { onError: (error) => toast({ text: describeError(error).message, tone: 'problem' }) },
    );
  return (
    <Button busy={change.isPending} onClick={cancel}>
      Cancel the test
    </Button>
  );
}
