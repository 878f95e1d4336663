// Buttons, and the one that copies.
import { useState, type ButtonHTMLAttributes } from 'react';
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

/** Copies `text` and says so in its own place. `label` says what is copied. */
export function CopyButton({ text, label }: { readonly text: string; readonly label: string }) {
  const [outcome, setOutcome] = useState<'Copy' | 'Copied' | 'Not allowed'>('Copy');
  const copy = async (): Promise<void> => {
    const copied = await navigator.clipboard.writeText(text).then(
      () => true,
      () => false, // The browser refuses outside of a secure context; the text can still be selected.
    );
    setOutcome(copied ? 'Copied' : 'Not allowed');
    setTimeout(() => setOutcome('Copy'), COPIED_MS);
  };
  return (
    <Button className='copy' onClick={() => void copy()} aria-label={`${outcome}: ${label}`} title={label}>
      {outcome}
    </Button>
  );
}
