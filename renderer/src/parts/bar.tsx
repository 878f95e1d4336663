// A share as a bar from zero, with its figure in words.
import './bar.css';

export interface BarProps {
  readonly label: string;
  /** 0 to 1; null: unknown. */
  readonly share: number | null;
  /** The figure as it is read, such as `9.1/16 GB`. */
  readonly text: string;
  readonly tone?: 'plain' | 'warning' | 'problem';
}

export function Bar({ label, share, text, tone = 'plain' }: BarProps) {
  const percent = share === null ? 0 : Math.round(Math.min(1, Math.max(0, share)) * 100);
  return (
    <div className='bar'>
      <span className='bar-label ellipsis' title={label}>
        {label}
      </span>
      <span
        className={`bar-track ${tone}`}
        role='meter'
        aria-label={label}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={percent}
        aria-valuetext={text}
      >
        <span className='bar-fill' style={{ width: `${percent}%` }} />
      </span>
      <span className='bar-text'>{text}</span>
    </div>
  );
}
