// One figure with its unit, its uncertainty and where it comes from.
import type { ReactNode } from 'react';
import './stat.css';

export interface StatProps {
  readonly label: string;
  /** Already formatted; null: not known, and `unknown` says why. */
  readonly value: string | null;
  readonly unit?: string;
  /** Half of the 95% interval, formatted. */
  readonly plusMinus?: string;
  readonly unknown?: string;
  readonly note?: ReactNode;
}

export function Stat({ label, value, unit, plusMinus, unknown = 'not measured yet', note }: StatProps) {
  return (
    <div className='stat'>
      <span className='stat-label'>{label}</span>
      {value === null ? (
        <span className='stat-unknown'>{unknown}</span>
      ) : (
        <span className='stat-value'>
          <span>
            {value}
            {plusMinus !== undefined && <small> ±{plusMinus}</small>}
          </span>
          {unit !== undefined && (
            <>
              {' '}
              <small>{unit}</small>
            </>
          )}
        </span>
      )}
      {note !== undefined && <span className='quiet small'>{note}</span>}
    </div>
  );
}
