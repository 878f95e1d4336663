// Small columns from zero without axes: the shape of something over time. A gap is drawn as a gap.
import './columns.css';

export interface ColumnsProps {
  readonly values: readonly (number | null)[];
  /** Columns to reserve room for. */
  readonly count: number;
  readonly label: string;
  readonly caption: string;
}

export function Columns({ values, count, label, caption }: ColumnsProps) {
  const most = Math.max(1, ...values.map((value) => value ?? 0));
  return (
    <figure className='columns-figure'>
      <svg className='columns' viewBox={`0 0 ${count * 4} 32`} preserveAspectRatio='none' role='img' aria-label={label}>
        {values.map((value, index) => (
          <rect
            key={index}
            className={value === null ? 'gap' : ''}
            x={index * 4}
            width={3}
            y={32 - columnHeight(value, most)}
            height={columnHeight(value, most)}
          />
        ))}
      </svg>
      <figcaption className='quiet small'>{caption}</figcaption>
    </figure>
  );
}

/** Zero is a line of one unit, so that it is not taken for a gap. */
const columnHeight = (value: number | null, most: number): number => (value === null ? 0 : 1 + (31 * value) / most);
