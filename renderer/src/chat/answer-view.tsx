// One answer: what the model wrote, what it took, and what can be done with it.
import { memo } from 'react';
import { formatCount, formatDuration, formatRate, formatUsd, plural } from '../format.ts';
import { Button, CopyButton } from '../parts/button.tsx';
import { Status } from '../parts/status.tsx';
import { isOpen, speedOf, type Answer, type Fault } from './answer.ts';
import { Markdown } from './markdown.tsx';
import { Thumbs } from './thumbs.tsx';

export interface AnswerViewProps {
  readonly answer: Answer;
  /** Another model's answer stands beside it: its name is a heading. */
  readonly named: boolean;
  readonly onAgain: () => void;
}

export const AnswerView = memo(
  function AnswerView({ answer, named, onAgain }: AnswerViewProps) {
    const open = isOpen(answer);
    return (
      <div className='answer' aria-busy={open} aria-label={`Answer of ${answer.model ?? answer.modelAsked}`} role='group'>
        {named && <strong className='wrap-anywhere'>{answer.model ?? answer.modelAsked}</strong>}
        {answer.text !== '' && <Markdown text={answer.text} growing={open} />}
        {answer.state === 'waiting' && <span className='caret' aria-hidden='true' />}
        {answer.fault !== null && <FaultNote fault={answer.fault} kept={answer.text !== ''} onAgain={onAgain} />}
        {answer.route !== undefined && (
          <span className='quiet small wrap-anywhere'>
            {answer.route.degraded && <Status tone='warning' word='Degraded' />} {answer.model ?? ''}: {answer.route.reason}
          </span>
        )}
        <div className='answer-foot row'>
          <span className='quiet small figures'>{figuresOf(answer, named)}</span>
          {!open && (
            <span className='row turn-actions'>
              {answer.requestId !== null && answer.text !== '' && <Thumbs key={answer.requestId} requestId={answer.requestId} />}
              {answer.text !== '' && <CopyButton text={answer.text} label='Answer' />}
              {answer.fault === null && (
                <Button kind='quiet' onClick={onAgain}>
                  Regenerate
                </Button>
              )}
            </span>
          )}
        </div>
      </div>
    );
  },
  (before, after) => before.answer === after.answer,
);

function FaultNote({ fault, kept, onAgain }: { readonly fault: Fault; readonly kept: boolean; readonly onAgain: () => void }) {
  const { message, code, status, retryAfterSeconds } = fault;
  const detail = [status, code].filter((part) => part !== null).join(' ');
  return (
    <div className='answer-fault stack' role='alert'>
      <Status tone='problem' word={kept ? 'Cut off' : 'No answer'} />
      <span className='wrap-anywhere'>{message}</span>
      <span className='quiet small'>{adviceFor(fault)}</span>
      <span className='row'>
        <Button onClick={onAgain}>
          {retryAfterSeconds === null ? 'Try again' : `Try again (best after ${formatCount(retryAfterSeconds)} s)`}
        </Button>
        <CopyButton text={`${detail}\n${message}`.trim()} label='Detail of the error' />
      </span>
    </div>
  );
}

/** What it means and what to do. */
function adviceFor({ code, status }: Fault): string {
  if (code === 'context_length_exceeded') return 'Begin a new conversation, attach less, or choose a model with a longer context.';
  if (code === 'model_not_found') return 'It was removed. Choose another model above.';
  if (code === 'queue_full') return 'Others are being served. Your question is not lost: try again in a moment.';
  if (code === 'insufficient_memory' || code === 'model_load_failed') return 'Unload another model under Models, or choose a smaller one.';
  if (status === null && code === null) return 'See whether the engine is still running; what came is kept.';
  return 'What came is kept. Try again, or choose another model.';
}

/** Which model (where no heading names it), how long to the first token, how fast, how many, what it cost. */
function figuresOf(answer: Answer, named: boolean): string {
  const name = named ? null : (answer.model ?? answer.modelAsked);
  if (answer.state === 'waiting') return [name, 'waiting for the first token'].filter((part) => part !== null).join(' · ');
  const speed = speedOf(answer);
  const rate = speed?.tokensPerSecond ?? null;
  const parts = [
    name,
    speed === null ? null : `first token after ${formatDuration(speed.ttftMs)}`,
    rate === null ? null : `${formatRate(rate)} tokens/s`,
    answer.completionTokens === null ? null : plural(answer.completionTokens, 'token'),
    isOpen(answer) ? null : `cost ${answer.costUsd === null ? '—' : formatUsd(answer.costUsd)}`,
    answer.state === 'stopped' ? 'stopped' : null,
    answer.finishReason === 'length' ? 'cut at the token limit' : null,
  ];
  return parts.filter((part) => part !== null).join(' · ');
}
