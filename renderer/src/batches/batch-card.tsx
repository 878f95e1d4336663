// One batch: how far it is, how fast, when it ends, what it saves, and its files.
import type { BatchFault, BatchStatusName, BatchView } from '../../../engine/contract.ts';
import { describeError } from '../api/api-error.ts';
import { useChange } from '../api/queries.tsx';
import { formatCount, formatMoment, formatRate, formatShare, formatSpan, formatUsd } from '../format.ts';
import { Button } from '../parts/button.tsx';
import { Status, type Tone } from '../parts/status.tsx';
import { useToast } from '../parts/toast.tsx';

const TONES: Readonly<Record<BatchStatusName, Tone>> = {
  validating: 'busy',
  failed: 'problem',
  in_progress: 'busy',
  finalizing: 'busy',
  completed: 'ok',
  expired: 'warning',
  cancelling: 'idle',
  cancelled: 'idle',
};
const CANCELLABLE: ReadonlySet<BatchStatusName> = new Set(['validating', 'in_progress']);
const FAULTS_SHOWN = 20;

export function BatchCard({ batch }: { readonly batch: BatchView }) {
  const { id, filename, status, total, completed, failed, faults, outputFileId, errorFileId } = batch;
  const isOpen = batch.endedMs === null;
  return (
    <section className='batch' aria-label={`Batch ${filename}`}>
      <div className='row'>
        <strong className='wrap-anywhere'>{filename}</strong>
        <Status tone={TONES[status]} word={status.replace('_', ' ')} />
        <span className='row push'>
          {outputFileId !== null && <Download fileId={outputFileId} name={`${id}-output.jsonl`} label='Results' />}
          {errorFileId !== null && <Download fileId={errorFileId} name={`${id}-errors.jsonl`} label='Errors' />}
          {CANCELLABLE.has(status) && <Cancel batch={batch} />}
        </span>
      </div>
      {isOpen && <progress aria-label={`Rows of ${filename}`} max={Math.max(1, total)} value={completed + failed} />}
      <span className='small'>{describeRows(batch)}</span>
      <span className='quiet small wrap-anywhere'>{describeCost(batch)}</span>
      {faults.length > 0 && <Faults faults={faults} />}
    </section>
  );
}

function Download({ fileId, name, label }: { readonly fileId: string; readonly name: string; readonly label: string }) {
  return (
    <a href={`/v1/files/${encodeURIComponent(fileId)}/content`} download={name}>
      {label}
    </a>
  );
}

function Cancel({ batch: { id, filename } }: { readonly batch: BatchView }) {
  const toast = useToast();
  const change = useChange(['/api/batches']);
  const cancel = (): void =>
    change.mutate(
      { method: 'POST', path: `/v1/batches/${encodeURIComponent(id)}/cancel` },
      {
        onSuccess: () => toast({ text: `${filename} is cancelled; the rows that ran stay in its results.` }),
        onError: (error) => toast({ text: describeError(error).message, tone: 'problem' }),
      },
    );
  return (
    <Button busy={change.isPending} onClick={cancel} aria-label={`Cancel ${filename}`}>
      Cancel
    </Button>
  );
}

function Faults({ faults }: { readonly faults: readonly BatchFault[] }) {
  return (
    <ul className='batch-faults' aria-label='Faults of the file'>
      {faults.slice(0, FAULTS_SHOWN).map(({ line, message, code }, index) => (
        <li key={index} className='wrap-anywhere'>
          {line === null ? '' : `Line ${formatCount(line)}: `}
          {message} <span className='quiet'>({code})</span>
        </li>
      ))}
      {faults.length > FAULTS_SHOWN && <li>and {formatCount(faults.length - FAULTS_SHOWN)} more</li>}
    </ul>
  );
}

/** `120 of 2,000 rows, 3 failed, 4.2 rows/s, 8 min left` */
export function describeRows({ total, completed, failed, rowsPerSecond, etaMs, endedMs, expiresMs }: BatchView): string {
  const parts = [`${formatCount(completed + failed)} of ${formatCount(total)} rows`];
  if (failed > 0) parts.push(`${formatCount(failed)} failed`);
  if (rowsPerSecond !== null) parts.push(`${formatRate(rowsPerSecond)} rows/s`);
  if (endedMs !== null) return [...parts, `ended ${formatMoment(endedMs)}`].join(', ');
  parts.push(etaMs === null ? 'time left not known yet' : `${formatSpan(etaMs)} left`, `due ${formatMoment(expiresMs)}`);
  return parts.join(', ');
}

/** Its own price beside what the same work would cost at once, and from the premium model. */
export function describeCost({ endpoint, model, cost }: BatchView): string {
  const { spotUsd, interactiveUsd, premiumUsd } = cost;
  const saved = interactiveUsd > 0 ? ` (saves ${formatShare(1 - spotUsd / interactiveUsd)})` : '';
  const premium = premiumUsd === null ? 'premium has no price' : `premium ${formatUsd(premiumUsd)}`;
  return `${endpoint}, ${model ?? 'several models'} · cost ${formatUsd(spotUsd)}, interactive ${formatUsd(interactiveUsd)}${saved}, ${premium}`;
}
