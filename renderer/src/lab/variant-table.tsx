// The variants of a model as a table: measured figures, and whether each may answer.
import type { ModelVariants, VariantStatus } from '../../../engine/contract.ts';
import { formatBytes } from '../format.ts';
import { Button } from '../parts/button.tsx';
import { Status } from '../parts/status.tsx';
import { Table, type Column } from '../parts/table.tsx';
import { loadFigure, lossFigures, memoryFigure, nearnessFigures, speedFigure, type Figure } from './figures.ts';

export interface VariantCommands {
  readonly promote: (variant: string) => void;
  readonly measure: (variant: string) => void;
  /** A change is on its way. */
  readonly busy: boolean;
}

export function VariantTable({ table, commands }: { readonly table: ModelVariants; readonly commands: VariantCommands }) {
  return (
    <Table
      label='Variants'
      columns={columnsOf(table, commands)}
      rows={table.variants}
      rowKey={({ name }) => name}
      empty='No variant.'
      className='variant-table'
    />
  );
}

type VariantColumn = Column<VariantStatus>;

function columnsOf({ kind }: ModelVariants, commands: VariantCommands): readonly VariantColumn[] {
  const decoder = kind === 'decoder';
  const figures = (id: string, title: string, of: (variant: VariantStatus) => readonly Figure[]): VariantColumn => ({
    id,
    title,
    align: 'end',
    render: (variant) => of(variant).map((each, at) => <FigureCell key={at} figure={each} />),
  });
  const figure = (id: string, title: string, of: (variant: VariantStatus) => Figure): VariantColumn =>
    figures(id, title, (variant) => [of(variant)]);
  const speeds = decoder
    ? [
        figure('prefill', 'Prefill tokens', (variant) => speedFigure(variant, 'prefillPerSecond')),
        figure('decode', 'Decode tokens', (variant) => speedFigure(variant, 'decodePerSecond')),
      ]
    : [figure('texts', 'Texts', (variant) => speedFigure(variant, 'textsPerSecond'))];
  return [
    { id: 'name', title: 'Variant', grow: true, render: (variant) => <NameCell variant={variant} /> },
    figure('memory', 'Memory', memoryFigure),
    figure('load', 'Load', loadFigure),
    ...speeds,
    figures('loss', decoder ? 'Perplexity' : 'Cosine lost', lossFigures),
    figures('near', decoder ? 'Same top token' : 'Recall at 10', nearnessFigures),
    { id: 'actions', title: 'Answers', align: 'end', render: (variant) => <AnswersCell variant={variant} commands={commands} /> },
  ];
}

function NameCell({ variant: { name, sizeBytes, bitsPerWeight, method } }: { readonly variant: VariantStatus }) {
  return (
    <span className='variant-name' title={method}>
      <strong>{name}</strong>
      <span className='quiet'>
        {formatBytes(sizeBytes)}, {bitsPerWeight.toFixed(2)} bits a weight
      </span>
    </span>
  );
}

function FigureCell({ figure: { value, beside } }: { readonly figure: Figure }) {
  return (
    <span className='variant-figure'>
      <span>{value}</span>
      {beside.map((line) => (
        <span key={line} className='quiet'>
          {line}
        </span>
      ))}
    </span>
  );
}

function AnswersCell({ variant, commands }: { readonly variant: VariantStatus; readonly commands: VariantCommands }) {
  const { name, isDefault, gate } = variant;
  const { busy, promote, measure } = commands;
  return (
    <span className='variant-actions'>
      {isDefault && <Status tone='ok' word='answers' />}
      {!isDefault && <Status tone={gate.allowed ? 'idle' : 'warning'} word={gate.allowed ? 'may answer' : 'may not'} />}
      <span className='row'>
        <Button aria-label={`Measure ${name}`} disabled={busy} onClick={() => measure(name)}>
          Measure
        </Button>
        {!isDefault && (
          <Button
            kind='primary'
            aria-label={`Promote ${name}`}
            disabled={busy || !gate.allowed}
            title={gate.reason}
            onClick={() => promote(name)}
          >
            Promote
          </Button>
        )}
      </span>
    </span>
  );
}
