// Buttons, and the one that copies.
import { useState, type ButtonHTMLAttributes } from 'react';
import { copyText } from './copy-text.ts';
import './button.css';

export interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  /** `plain` where left out; `quiet` has no border; `danger` is for what takes something away. */
  readonly kind?: 'plain' | 'primary' | 'danger' | 'quiet';
  /** Work goes on: the button waits, and says so to screen readers. */
  readonly busy?: boolean;
}

export function Button({ kind = 'plain', busy = false, className = '', disabled, ...rest }: ButtonProps) {
  return <button type='button' {...rest} className={`button ${kind} ${className}`} disabled={disabled === true || busy} aria-busy={busy} />;
}

const COPIED_MS = 1_500;

/** Copies `text` and says so in its own place; where the browser forbids it, gives the text to be copied by hand. `label` says what is copied. */
export function CopyButton({ text, label }: { readonly text: string; readonly label: string }) {
  const [outcome, setOutcome] = useState<'Copy' | 'Copied' | 'By hand'>('Copy');
  const copy = async (): Promise<void> => {
    const copied = await copyText(text);
    setOutcome(copied ? 'Copied' : 'By hand');
    if (copied) setTimeout(() => setOutcome('Copy'), COPIED_MS);
  };
  if (outcome === 'By hand') return <CopyByHand text={text} label={label} onDone={() => setOutcome('Copy')} />;
  return (
    <Button className='copy' onClick={() => void copy()} aria-label={`${outcome}: ${label}`} title={label}>
      {outcome}
    </Button>
  );
}

interface CopyByHandProps {
  readonly text: string;
  readonly label: string;
  readonly onDone: () => void;
}

/** The text, selected, until it loses the focus. */
function CopyByHand({ text, label, onDone }: CopyByHandProps) {
  const note = `${label}: this browser does not let a page copy. Press Ctrl+C or ⌘C.`;
  return (
    <input
      className='copy-by-hand'
      readOnly
      autoFocus
      value={text}
      aria-label={note}
      title={note}
      onFocus={({ currentTarget }) => currentTarget.select()}
      onCopy={() => setTimeout(onDone)}
      onBlur={onDone}
    />
  );
}
