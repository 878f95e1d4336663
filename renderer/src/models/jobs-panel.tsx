// Downloads and conversions: how far each is, and what the finished ones achieved. They live in the engine, so a reload loses nothing.
import type { JobStatus } from '../../../engine/contract.ts';
import { describeError } from '../api/api-error.ts';
import { call, type Method } from '../api/client.ts';
import { Button } from '../parts/button.tsx';
import { Panel } from '../parts/panel.tsx';
import { Progress } from '../parts/progress.tsx';
import { useToast } from '../parts/toast.tsx';

export interface JobsPanelProps {
  readonly jobs: readonly JobStatus[];
  readonly title?: string;
}

export function JobsPanel({ jobs, title = 'Downloads and conversions' }: JobsPanelProps) {
  const toast = useToast();
  const send = (method: Method, path: string): void =>
    void call(path, { method }).catch((error: unknown) => toast({ text: describeError(error).message, tone: 'problem' }));
  if (jobs.length === 0) return null;
  return (
    <Panel title={title}>
      <ul className='stack'>
        {jobs.map((job) => (
          <li key={job.id} className='job'>
            <JobRow job={job} send={send} />
          </li>
        ))}
      </ul>
    </Panel>
  );
}

interface JobRowProps {
  readonly job: JobStatus;
  readonly send: (method: Method, path: string) => void;
}

function JobRow({ job, send }: JobRowProps) {
  const path = `/api/jobs/${encodeURIComponent(job.id)}`;
  return (
    <>
      <Progress
        job={job}
        onPause={() => send('POST', `${path}/pause`)}
        onResume={() => send('POST', `${path}/resume`)}
        onCancel={() => send('DELETE', path)}
      />
      {job.endedMs !== null && (
        <Button kind='quiet' aria-label={`Dismiss ${job.title}`} onClick={() => send('DELETE', path)}>
          Dismiss
        </Button>
      )}
    </>
  );
}
