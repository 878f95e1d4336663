// What went wrong, what it means and what to do, with a detail that can be copied into a report.
import { describeError } from '../api/api-error.ts';
import { Button, CopyButton } from './button.tsx';
import { Status } from './status.tsx';
import './error-note.css';

export interface ErrorNoteProps {
  readonly error: unknown;
  /** What did not happen, such as `The history could not be read.` */
  readonly what: string;
  readonly onRetry?: () => void;
}

export function ErrorNote({ error, what, onRetry }: ErrorNoteProps) {
  const { message, advice, detail } = describeError(error);
  return (
    <div className='error-note' role='alert'>
      <Status tone='problem' word={what} />
      <p className='wrap-anywhere'>{message}</p>
      <p className='quiet'>{advice}</p>
      <div className='row'>
        {onRetry !== undefined && <Button onClick={onRetry}>Try again</Button>}
        <CopyButton text={detail} label='Detail of the error' />
      </div>
    </div>
  );
}
