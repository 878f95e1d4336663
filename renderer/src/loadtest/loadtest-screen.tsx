// Load tests: start one, follow it, read its verdict, compare it with earlier ones, take it away as a file.
import { useEffect, useRef, useState } from 'react';
import type { LoadTestRun, LoadTestsAnswer } from '../../../engine/contract.ts';
import { useRead } from '../api/queries.tsx';
import { Empty, Loading } from '../parts/empty.tsx';
import { ErrorNote } from '../parts/error-note.tsx';
import { Panel } from '../parts/panel.tsx';
import { Screen } from '../shell/screen.tsx';
import { ReportPanel } from './report-panel.tsx';
import { ReportTable } from './report-table.tsx';
import { RunPanel } from './run-panel.tsx';
import { StartPanel } from './start-panel.tsx';
import './loadtest.css';

const EVERY_MS = 10_000;
/** While one runs. */
const RUNNING_MS = 500;

export const isOpen = (run: LoadTestRun | null): boolean =>
  run !== null && (run.state === 'preparing' || run.state === 'sending' || run.state === 'finishing');

export function LoadTestScreen() {
  const [running, setRunning] = useState(false);
  const { data, error, refetch } = useRead<LoadTestsAnswer>('/api/loadtests', { everyMs: running ? RUNNING_MS : EVERY_MS });
  const runs = data !== undefined && isOpen(data.run);
  useEffect(() => setRunning(runs), [runs]);
  return (
    <Screen title='Load test'>
      {data === undefined && error !== null && (
        <ErrorNote error={error} what='The load tests could not be read.' onRetry={() => void refetch()} />
      )}
      {data === undefined && error === null && <Loading lines={10} />}
      {data !== undefined && (
        <>
          {data.run !== null && <RunPanel run={data.run} />}
          {!runs && <StartPanel />}
          <Reports answer={data} />
        </>
      )}
    </Screen>
  );
}

/** The chosen report, else the newest; a test that has just ended is looked at first. */
function Reports({ answer: { run, reports } }: { readonly answer: LoadTestsAnswer }) {
  const [chosen, setChosen] = useState<string | null>(null);
  const ended = run?.reportId ?? null;
  useEffect(() => setChosen(ended), [ended]);
  const place = useRef<HTMLDivElement>(null);
  const shown = reports.find(({ id }) => id === chosen) ?? reports[0];
  if (shown === undefined)
    return (
      <Panel title='Verdict'>
        <Empty title='No load test yet.'>
          A load test sends the busiest minutes of your own record again, twice as fast, and tells whether everybody would still have been
          answered in time, and what gives way first.
        </Empty>
      </Panel>
    );
  const before = reports.slice(reports.indexOf(shown) + 1).find(({ asked }) => isLike(asked, shown.asked)) ?? null;
  const open = (id: string): void => {
    setChosen(id);
    place.current?.scrollIntoView({ block: 'start' });
  };
  return (
    <>
      <div ref={place} className='stack'>
        <ReportPanel summary={shown} before={before} />
      </div>
      <ReportTable reports={reports} shown={shown.id} onOpen={open} />
    </>
  );
}

type Asked = LoadTestRun['asked'];

/** Their figures can be held against each other. */
function isLike(a: Asked, b: Asked): boolean {
  return a.factor === b.factor && a.url === b.url && a.profile.kind === b.profile.kind;
}
