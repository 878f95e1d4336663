// Long work: what is being done, how far it is, how fast, when it ends; pause, resume, cancel.
import type { JobStatus } from '../../../engine/contract.ts';
import { formatBytes, formatCount, formatSpan } from '../format.ts';
import { Button } from './button.tsx';
import { Status, type Tone } from './status.tsx';
import './progress.css';

export interface ProgressProps {
  readonly job: JobStatus;
  readonly onPause?: () => void;
  readonly onResume?: () => void;
  readonly onCancel?: () => void;
}

const TONES: Readonly<Record<JobStatus['state'], Tone>> = {
  waiting: 'idle',
  running: 'busy',
  paused: 'warning',
  done: 'ok',
  failed: 'problem',
  cancelled: 'idle',
};

export function Progress({ job, onPause, onResume, onCancel }: ProgressProps) {
  const open = job.state === 'waiting' || job.state === 'running' || job.state === 'paused';
  return (
    <div className='progress' role='group' aria-label={job.title}>
      <div className='row'>
        <strong className='wrap-anywhere'>{job.title}</strong>
        <Status tone={TONES[job.state]} word={job.state === 'running' ? job.step : job.state} />
        <span className='row push'>
          {open && job.state !== 'paused' && onPause !== undefined && <Button onClick={onPause}>Pause</Button>}
          {job.state === 'paused' && onResume !== undefined && <Button onClick={onResume}>Resume</Button>}
          {open && onCancel !== undefined && <Button onClick={onCancel}>Cancel</Button>}
        </span>
      </div>
      {open && <progress aria-label={`${job.title}: ${job.step}`} max={job.total ?? 1} value={job.total === null ? undefined : job.done} />}
      <span className='quiet small'>{open ? describeProgress(job) : job.result}</span>
    </div>
  );
}

/** `120 MB of 1.2 GB, 24 MB/s, 45 s left` */
export function describeProgress({ done, total, unit, rate, etaMs }: JobStatus): string {
  const amount = (value: number): string => (unit === 'bytes' ? formatBytes(value) : formatCount(value));
  const parts = [total === null ? amount(done) : `${amount(done)} of ${amount(total)}${unit === 'steps' ? ' steps' : ''}`];
  if (rate !== null) parts.push(unit === 'bytes' ? `${formatBytes(rate)}/s` : `${rate.toFixed(1)} steps/s`);
  parts.push(etaMs === null ? 'time left not known yet' : `${formatSpan(etaMs)} left`);
  return parts.join(', ');
}
