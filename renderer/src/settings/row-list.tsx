// A list of rows that are edited in place, with one to add and one to remove.
import type { ReactNode } from 'react';
import { Button } from '../parts/button.tsx';

export interface RowListProps<Row> {
  readonly rows: readonly Row[];
  /** What one row is, such as `price`. */
  readonly noun: string;
  readonly onChange: (rows: readonly Row[]) => void;
  readonly newRow: () => Row;
  readonly children: (row: Row, change: (part: Partial<Row>) => void) => ReactNode;
}

export function RowList<Row extends object>({ rows, noun, onChange, newRow, children }: RowListProps<Row>) {
  const change = (at: number, part: Partial<Row>): void => onChange(rows.map((row, index) => (index === at ? { ...row, ...part } : row)));
  return (
    <div className='stack'>
      {rows.map((row, index) => (
        <div key={index} className='settings-row' role='group' aria-label={`${noun} ${index + 1}`}>
          {children(row, (part) => change(index, part))}
          <Button aria-label={`Remove ${noun} ${index + 1}`} onClick={() => onChange(rows.filter((_, at) => at !== index))}>
            Remove
          </Button>
        </div>
      ))}
      <span>
        <Button onClick={() => onChange([...rows, newRow()])}>Add a {noun}</Button>
      </span>
    </div>
  );
}
