// A table whose rows are walked with the arrow keys and opened with Enter; on a phone each row becomes a card.
import { useRef, useState, type KeyboardEvent, type ReactNode } from 'react';
import './table.css';

export interface Column<Row> {
  readonly id: string;
  readonly title: string;
  readonly align?: 'start' | 'end';
  /** The column that takes the room that is left, and is cut with an ellipsis. */
  readonly grow?: boolean;
  readonly render: (row: Row) => ReactNode;
}

export interface TableProps<Row> {
  readonly label: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly rowKey: (row: Row) => string;
  /** Opened by a click, Enter or Space. */
  readonly onOpen?: (row: Row) => void;
  /** What to say without rows. */
  readonly empty: ReactNode;
  readonly className?: string;
}

export function Table<Row>({ label, columns, rows, rowKey, onOpen, empty, className = '' }: TableProps<Row>) {
  const body = useRef<HTMLTableSectionElement>(null);
  const [current, setCurrent] = useState<string | null>(null);
  const keys = rows.map(rowKey);
  // The row that Tab reaches; the first one when the row that had it is gone.
  const tabStop = current !== null && keys.includes(current) ? current : keys[0];
  const onKeyDown = (event: KeyboardEvent, row: Row, index: number): void => {
    if (event.target !== event.currentTarget) return;
    const next = nextRow(event.key, index, rows.length);
    if (next !== null) focusRow(body.current, next);
    else if ((event.key === 'Enter' || event.key === ' ') && onOpen !== undefined) onOpen(row);
    else return;
    event.preventDefault();
  };
  if (rows.length === 0) return <div className={`table-box ${className}`}>{empty}</div>;
  return (
    <div className={`table-box ${className}`}>
      <table className='table' role='table' aria-label={label}>
        <thead role='rowgroup'>
          <tr role='row'>
            {columns.map(({ id, title, align, grow }) => (
              <th key={id} role='columnheader' scope='col' className={cellClass(align, grow)}>
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody ref={body} role='rowgroup'>
          {rows.map((row, index) => (
            <tr
              key={keys[index]}
              role='row'
              className={onOpen === undefined ? '' : 'opens'}
              tabIndex={keys[index] === tabStop ? 0 : -1}
              onFocus={() => setCurrent(keys[index] ?? null)}
              onKeyDown={(event) => onKeyDown(event, row, index)}
              onClick={(event) => onOpen !== undefined && !isControl(event.target) && onOpen(row)}
            >
              {columns.map(({ id, title, align, grow, render }) => (
                <td key={id} role='cell' data-label={title} className={cellClass(align, grow)}>
                  {render(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** The row that a key leads to; null: the key is not for walking. */
export function nextRow(key: string, index: number, count: number): number | null {
  if (key === 'ArrowDown') return Math.min(count - 1, index + 1);
  if (key === 'ArrowUp') return Math.max(0, index - 1);
  if (key === 'Home') return 0;
  return key === 'End' ? count - 1 : null;
}

function focusRow(body: HTMLTableSectionElement | null, index: number): void {
  const row = body?.rows[index];
  row?.focus();
  row?.scrollIntoView({ block: 'nearest' });
}

const isControl = (target: EventTarget): boolean => target instanceof Element && target.closest('a, button, input, select') !== null;

const cellClass = (align: 'start' | 'end' | undefined, grow: boolean | undefined): string =>
  `${align === 'end' ? 'end' : ''} ${grow === true ? 'grow' : ''}`;
