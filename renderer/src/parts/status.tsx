// A state as colour, shape and word together, so that no one of them is needed alone.
import './status.css';

export type Tone = 'ok' | 'busy' | 'warning' | 'problem' | 'idle';

/** Circle: ok; ring: idle; square: busy; triangle: warning; diamond: problem. */
export function Status({ tone, word }: { readonly tone: Tone; readonly word: string }) {
  return (
    <span className={`status ${tone}`}>
      <span className='status-shape' aria-hidden='true' />
      {word}
    </span>
  );
}
