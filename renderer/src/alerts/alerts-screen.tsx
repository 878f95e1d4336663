// What is wrong now and what to do about it, what was wrong, and the rules that judge.
import type { AlertsAnswer } from '../../../engine/contract.ts';
import { useRead } from '../api/queries.tsx';
import { Loading } from '../parts/empty.tsx';
import { ErrorNote } from '../parts/error-note.tsx';
import { PermissionButton } from '../settings/personal-sections.tsx';
import { Screen } from '../shell/screen.tsx';
import { ActiveAlerts } from './active-alerts.tsx';
import { AlertHistory } from './alert-history.tsx';
import { RuleList } from './rule-list.tsx';
import './alerts.css';

const EVERY_MS = 5_000;

export function AlertsScreen() {
  const { data, error, refetch } = useRead<AlertsAnswer>('/api/alerts', { everyMs: EVERY_MS });
  return (
    <Screen title='Alerts' actions={<PermissionButton />}>
      {data === undefined && error !== null && (
        <ErrorNote error={error} what='The alerts could not be read.' onRetry={() => void refetch()} />
      )}
      {data === undefined && error === null && <Loading lines={8} />}
      {data !== undefined && (
        <>
          <ActiveAlerts alerts={data.active} />
          <RuleList rules={data.rules} />
          <AlertHistory events={data.history} />
        </>
      )}
    </Screen>
  );
}
