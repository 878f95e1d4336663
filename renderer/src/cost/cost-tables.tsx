// Costs by group; busy, idle and the devices' total; and what renting would have cost.
import type { CostReport, CostRow, CostTotal } from '../../../engine/contract.ts';
import { formatCount, formatShare, formatUsd } from '../format.ts';
import { Empty } from '../parts/empty.tsx';
import { Panel } from '../parts/panel.tsx';
import { Table, type Column } from '../parts/table.tsx';
import { goTo } from '../shell/hash-location.ts';

export function CostRows({ report: { rows, by } }: { readonly report: CostReport }) {
  const title = { model: 'Model', key: 'Key', endpoint: 'Endpoint', day: 'Day' }[by];
  const open =
    by === 'model' || by === 'endpoint' ? { onOpen: ({ group }: CostRow) => goTo(`/history?${by}=${encodeURIComponent(group)}`) } : {};
  return (
    <Table
      label={`Costs by ${by}`}
      columns={[{ id: 'group', title, grow: true, render: ({ group }) => <span title={group}>{group || 'no key'}</span> }, ...COLUMNS]}
      rows={rows}
      rowKey={({ group }) => group}
      {...open}
      empty={<Empty title='Nothing was asked in this range.'>Idle time costs too: see the devices’ total below.</Empty>}
    />
  );
}

const COLUMNS: readonly Column<CostRow>[] = [
  { id: 'requests', title: 'Requests', align: 'end', render: ({ requests }) => formatCount(requests) },
  {
    id: 'tokens',
    title: 'Tokens in, out',
    align: 'end',
    render: (row) => `${formatCount(row.promptTokens)}, ${formatCount(row.completionTokens)}`,
  },
  { id: 'device', title: 'Device time', align: 'end', render: ({ deviceSeconds }) => `${formatCount(deviceSeconds)} s` },
  {
    id: 'energy',
    title: 'Energy',
    align: 'end',
    render: ({ energyUsd, energyWh }) => <span title={`${energyWh.toFixed(2)} Wh`}>{formatUsd(energyUsd)}</span>,
  },
  { id: 'hardware', title: 'Hardware', align: 'end', render: ({ hardwareUsd }) => formatUsd(hardwareUsd) },
  { id: 'upstream', title: 'Upstream', align: 'end', render: ({ upstreamUsd }) => formatUsd(upstreamUsd) },
  { id: 'cost', title: 'Cost', align: 'end', render: ({ costUsd }) => <strong>{formatUsd(costUsd)}</strong> },
  { id: 'premium', title: 'Premium', align: 'end', render: ({ premiumUsd }) => formatUsd(premiumUsd) },
];

interface Line {
  readonly name: string;
  readonly usd: number;
  readonly note: string;
}

/** Busy and idle add up to what the devices cost: idle is never hidden, and never part of a request's cost. */
export function DeviceTotal({ total }: { readonly total: CostTotal }) {
  const busyUsd = total.energyUsd + total.hardwareUsd;
  const share = (usd: number): string => (total.devicesUsd === 0 ? '' : formatShare(usd / total.devicesUsd));
  const lines: readonly Line[] = [
    { name: 'Busy, charged to requests', usd: busyUsd, note: share(busyUsd) },
    { name: 'Idle', usd: total.idleUsd, note: share(total.idleUsd) },
    { name: 'Devices together', usd: total.devicesUsd, note: '' },
    { name: 'Upstream models', usd: total.upstreamUsd, note: '' },
  ];
  return (
    <Panel title='Busy and idle'>
      <Table label='Busy and idle cost' columns={LINE_COLUMNS} rows={lines} rowKey={({ name }) => name} empty='' />
    </Panel>
  );
}

const LINE_COLUMNS: readonly Column<Line>[] = [
  { id: 'name', title: 'What', grow: true, render: ({ name }) => name },
  { id: 'share', title: 'Share', align: 'end', render: ({ note }) => note },
  { id: 'usd', title: 'Cost', align: 'end', render: ({ usd }) => formatUsd(usd) },
];

/** The device hours that requests used, at each hourly price. */
export function Rented({ total }: { readonly total: CostTotal }) {
  const busyUsd = total.energyUsd + total.hardwareUsd;
  const lines = total.rented.map(({ name, usd }): Line => ({
    name,
    usd,
    note: busyUsd === 0 ? '' : `${formatRatio(usd / busyUsd)} the busy cost here`,
  }));
  return (
    <Panel title='The busy hours rented'>
      <Table
        label='Rented comparison'
        columns={RENT_COLUMNS}
        rows={lines}
        rowKey={({ name }) => name}
        empty={<p className='quiet'>No rented GPU is priced in the settings.</p>}
      />
    </Panel>
  );
}

const RENT_COLUMNS: readonly Column<Line>[] = [
  { id: 'name', title: 'GPU', grow: true, render: ({ name }) => name },
  { id: 'ratio', title: 'Ratio', align: 'end', render: ({ note }) => note },
  { id: 'usd', title: 'Would cost', align: 'end', render: ({ usd }) => formatUsd(usd) },
];

/** `38 ×`, `1.4 ×` */
const formatRatio = (ratio: number): string => `${ratio >= 10 ? ratio.toFixed(0) : ratio.toFixed(1)} ×`;
