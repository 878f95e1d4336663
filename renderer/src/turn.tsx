// One question and its answer. Both are shown as plain text: what a model writes never becomes HTML.
import { speedOf, type Turn } from './conversation.ts';
import { formatDuration, formatRate } from './format.ts';

export function TurnView({ turn }: { readonly turn: Turn }) {
  return (
    <article className='turn'>
      <p className='question'>{turn.question}</p>
      <p className='answer'>
        {turn.answer}
        {(turn.state === 'waiting' || turn.state === 'streaming') && <span className='caret' aria-hidden='true' />}
      </p>
      {turn.state === 'failed' && (
        <p className='failure' role='alert'>
          {turn.error}
        </p>
      )}
      <p className='quiet figures'>{figuresOf(turn)}</p>
    </article>
  );
}

function figuresOf(turn: Turn): string {
  if (turn.state === 'waiting') return `${turn.model} · waiting for the first token`;
  const speed = speedOf(turn);
  const rate = speed?.tokensPerSecond ?? null;
  const parts = [
    turn.model,
    speed === null ? null : `first token after ${formatDuration(speed.ttftMs)}`,
    rate === null ? null : `${formatRate(rate)} tokens/s`,
    turn.tokens === null ? null : `${turn.tokens} tokens`,
    turn.state === 'stopped' ? 'stopped by you' : null,
    turn.finishReason === 'length' ? 'cut at the token limit' : null,
  ];
  return parts.filter((part) => part !== null).join(' · ');
}
