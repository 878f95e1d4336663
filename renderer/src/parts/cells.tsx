// The slots of a batch as cells: filled by the share of the context used, hatched while prefilling.
import type { SlotUse } from '../../../engine/contract.ts';
import './cells.css';

export interface CellsProps {
  readonly slots: readonly SlotUse[];
  /** Tokens that one slot can hold. */
  readonly contextLength: number;
}

export function Cells({ slots, contextLength }: CellsProps) {
  return (
    <span className='cells' role='img' aria-label={describeSlots(slots)} title={describeSlots(slots)}>
      {slots.map(({ phase, usedTokens }, index) => (
        <span key={index} className={`cell ${phase}`}>
          <span style={{ height: `${phase === 'free' ? 0 : Math.max(12, Math.min(100, (100 * usedTokens) / contextLength))}%` }} />
        </span>
      ))}
    </span>
  );
}

/** `5 of 8 slots busy, 1 of them prefilling` */
export function describeSlots(slots: readonly SlotUse[]): string {
  const busy = slots.filter(({ phase }) => phase !== 'free').length;
  const prefilling = slots.filter(({ phase }) => phase === 'prefill').length;
  return `${busy} of ${slots.length} slots busy${prefilling === 0 ? '' : `, ${prefilling} of them prefilling`}`;
}
