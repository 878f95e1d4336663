// The alerts that fire: what is the case, what to do, since when; each can be snoozed.
import type { ActiveAlert } from '../../../engine/contract.ts';
import { describeError } from '../api/api-error.ts';
import { useChange } from '../api/queries.tsx';
import { formatClock, formatSpan } from '../format.ts';
import { Button } from '../parts/button.tsx';
import { Empty } from '../parts/empty.tsx';
import { Panel } from '../parts/panel.tsx';
import { Status } from '../parts/status.tsx';
import { useToast } from '../parts/toast.tsx';

const SNOOZES = [
  { label: '15 min', minutes: 15 },
  { label: '1 h', minutes: 60 },
  { label: '8 h', minutes: 480 },
] as const;

export function ActiveAlerts({ alerts }: { readonly alerts: readonly ActiveAlert[] }) {
  return (
    <Panel title='Active'>
      {alerts.length === 0 && <Empty title='Nothing fires.'>The rules below judge the last minutes all the time, and speak up here.</Empty>}
      <ul className='stack'>
        {alerts.map((alert) => (
          <li key={alert.id} className='alert'>
            <AlertCard alert={alert} />
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function AlertCard({ alert }: { readonly alert: ActiveAlert }) {
  const { name, subject, sentence, remedy, sinceMs, snoozedUntilMs } = alert;
  return (
    <>
      <div className='row'>
        <Status tone={snoozedUntilMs === null ? 'warning' : 'idle'} word={name} />
        {subject !== null && <strong className='wrap-anywhere'>{subject}</strong>}
        <span className='quiet push'>for {formatSpan(Date.now() - sinceMs)}</span>
      </div>
      <p className='wrap-anywhere'>{sentence}</p>
      <p className='quiet wrap-anywhere'>{remedy}</p>
      <SnoozeButtons alert={alert} />
    </>
  );
}

function SnoozeButtons({ alert: { id, name, snoozedUntilMs } }: { readonly alert: ActiveAlert }) {
  const toast = useToast();
  const change = useChange(['/api/alerts']);
  const snooze = (minutes: number | null): void =>
    change.mutate(
      { method: 'POST', path: `/api/alerts/${encodeURIComponent(id)}/snooze`, body: { minutes } },
      {
        onSuccess: () => minutes !== null && toast({ text: `${name} is silent for ${minutes} min.`, undo: () => snooze(null) }),
        onError: (error) => toast({ text: describeError(error).message, tone: 'problem' }),
      },
    );
  if (snoozedUntilMs !== null)
    return (
      <div className='row'>
        <span className='quiet'>Silent until {formatClock(snoozedUntilMs)}</span>
        <Button onClick={() => snooze(null)}>Let it speak</Button>
      </div>
    );
  return (
    <div className='row'>
      <span className='quiet'>Snooze</span>
      {SNOOZES.map(({ label, minutes }) => (
        <Button key={label} onClick={() => snooze(minutes)} aria-label={`Snooze ${name} for ${label}`}>
          {label}
        </Button>
      ))}
    </div>
  );
}
