// One report: the verdict in words, what gave way first and what to change, the figures behind it, and its files.
import type { LoadTestReport, LoadTestSummary, Percentiles } from '../../../engine/contract.ts';
import { useRead } from '../api/queries.tsx';
import {
  formatBytes,
  formatBytesOf,
  formatCount,
  formatDuration,
  formatMoment,
  formatRate,
  formatShare,
  formatUsd,
  orDash,
} from '../format.ts';
import { Loading } from '../parts/empty.tsx';
import { ErrorNote } from '../parts/error-note.tsx';
import { Facts } from '../parts/facts.tsx';
import { Panel } from '../parts/panel.tsx';
import { Stat } from '../parts/stat.tsx';
import { Status } from '../parts/status.tsx';
import { Table } from '../parts/table.tsx';
import { PlotGrid } from '../plot/plot-grid.tsx';
import { Plot } from '../plot/plot.tsx';
import { askedWords, changeWords, VERDICT_TONES } from './verdict-words.ts';

export interface ReportPanelProps {
  readonly summary: LoadTestSummary;
  /** The one before it of the same kind. */
  readonly before: LoadTestSummary | null;
}

export function ReportPanel({ summary, before }: ReportPanelProps) {
  const { id, verdict, sentence, asked, endedMs } = summary;
  const path = `/api/loadtests/${id}`;
  const { data, error, refetch } = useRead<LoadTestReport>(path);
  const changed = before === null ? null : changeWords(summary, before);
  return (
    <Panel title='Verdict' actions={<Exports path={path} id={id} />}>
      <div className='row'>
        <Status tone={VERDICT_TONES[verdict]} word={verdict} />
        <strong className='wrap-anywhere'>{askedWords(asked)}</strong>
        <span className='quiet push'>{formatMoment(endedMs)}</span>
      </div>
      <p className='wrap-anywhere'>{sentence}</p>
      {data !== undefined && data.firstToGive.what !== 'nothing' && (
        <p className='wrap-anywhere'>
          <strong>To do:</strong> {data.firstToGive.advice}
        </p>
      )}
      {before !== null && changed !== null && (
        <p className='quiet'>
          Against the one of {formatMoment(before.endedMs)}, {before.verdict}: {changed}.
        </p>
      )}
      <Figures summary={summary} />
      {error !== null && data === undefined && (
        <ErrorNote error={error} what='The report could not be read.' onRetry={() => void refetch()} />
      )}
      {error === null && data === undefined && <Loading lines={8} />}
      {data !== undefined && <Details report={data} />}
    </Panel>
  );
}

function Exports({ path, id }: { readonly path: string; readonly id: string }) {
  return (
    <>
      <a href={`${path}/export?format=html`} download={`loadtest-${id}.html`}>
        Page
      </a>
      <a href={`${path}/export?format=json`} download={`loadtest-${id}.json`}>
        JSON
      </a>
    </>
  );
}

function Figures({ summary: { requests, goodput, ttft, interToken, cost } }: { readonly summary: LoadTestSummary }) {
  return (
    <div className='loadtest-stats'>
      <Stat
        label='Kept their objectives'
        value={formatShare(goodput.share)}
        note={`${formatCount(requests.good)} of ${formatCount(requests.sent)}`}
      />
      <Stat
        label='Goodput'
        value={formatRate(goodput.requestsPerSecond)}
        unit='requests/s'
        note={`${formatRate(goodput.tokensPerSecond)} tokens/s`}
      />
      <Stat label='First token p99' value={orDash(ttft.p99, formatDuration)} note={`p50 ${orDash(ttft.p50, formatDuration)}`} />
      <Stat
        label='Between tokens p99'
        value={orDash(interToken.p99, formatDuration)}
        note={`p50 ${orDash(interToken.p50, formatDuration)}`}
      />
      <Stat label='Failed' value={formatCount(requests.failed)} />
      <Stat
        label='Cost per request'
        value={cost === null ? null : formatUsd(cost.usdPerRequest)}
        unknown='not known'
        note={cost === null ? undefined : `${formatUsd(cost.usd)} in all`}
      />
    </div>
  );
}

function Details({ report }: { readonly report: LoadTestReport }) {
  return (
    <>
      <Timeline report={report} />
      <Table label='Times' columns={TIME_COLUMNS} rows={timeRows(report)} rowKey={([name]) => name} empty='' />
      {report.errors.length > 0 && (
        <Table
          label='Errors'
          columns={ERROR_COLUMNS}
          rows={report.errors}
          rowKey={({ status, message }) => `${status} ${message}`}
          empty=''
        />
      )}
      {report.models.length > 1 && (
        <Table label='Models' columns={MODEL_COLUMNS} rows={report.models} rowKey={({ model }) => model} empty='' />
      )}
      <Facts facts={facts(report)} />
    </>
  );
}

function Timeline({ report: { id, startedMs, timeline } }: { readonly report: LoadTestReport }) {
  if (timeline.length < 2) return null;
  const atMs = timeline.map((point) => startedMs + point.atMs);
  const last = atMs.at(-1) ?? startedMs;
  const shared = { atMs, range: { fromMs: startedMs, toMs: last + 1 }, syncKey: `loadtest-${id}` };
  return (
    <PlotGrid>
      <Plot
        {...shared}
        title='Requests by when they were due'
        unit='a step'
        format={formatCount}
        lines={[
          { label: 'due', values: timeline.map(({ due }) => due) },
          { label: 'in time', values: timeline.map(({ good }) => good) },
        ]}
      />
      <Plot
        {...shared}
        title='Time to first token'
        unit=''
        format={formatDuration}
        least={10}
        band
        lines={[
          { label: 'p99', values: timeline.map(({ ttftP99Ms }) => ttftP99Ms) },
          { label: 'p50', values: timeline.map(({ ttftP50Ms }) => ttftP50Ms) },
        ]}
      />
      <Plot
        {...shared}
        title='Requests under way'
        unit=''
        format={formatCount}
        lines={[{ label: 'open', values: timeline.map(({ open }) => open) }]}
      />
    </PlotGrid>
  );
}

type TimeRow = readonly [name: string, Percentiles];

function timeRows({ ttft, interToken, total }: LoadTestReport): readonly TimeRow[] {
  return [
    ['First token, from when it was due', ttft],
    ['Between tokens', interToken],
    ['End, from when it was due', total],
  ];
}

const quantile = (id: keyof Percentiles, title: string) => ({
  id,
  title,
  align: 'end' as const,
  render: ([, times]: TimeRow) => orDash(times[id], formatDuration),
});
const TIME_COLUMNS = [
  { id: 'name', title: 'Time', grow: true, render: ([name]: TimeRow) => name },
  quantile('p50', 'p50'),
  quantile('p95', 'p95'),
  quantile('p99', 'p99'),
  quantile('max', 'Most'),
];

type Failure = LoadTestReport['errors'][number];
const ERROR_COLUMNS = [
  { id: 'status', title: 'Status', render: ({ status }: Failure) => (status === 0 ? 'no answer' : String(status)) },
  { id: 'message', title: 'Error', grow: true, render: ({ message }: Failure) => message },
  { id: 'count', title: 'Count', align: 'end' as const, render: ({ count }: Failure) => formatCount(count) },
];

type OfModel = LoadTestReport['models'][number];
const MODEL_COLUMNS = [
  { id: 'model', title: 'Model', grow: true, render: ({ model }: OfModel) => model },
  { id: 'requests', title: 'Requests', align: 'end' as const, render: ({ requests }: OfModel) => formatCount(requests) },
  { id: 'good', title: 'In time', align: 'end' as const, render: ({ good }: OfModel) => formatCount(good) },
  { id: 'ttft', title: 'First token p99', align: 'end' as const, render: ({ ttft }: OfModel) => orDash(ttft.p99, formatDuration) },
];

function facts({
  source,
  leftOut,
  throughput,
  queue,
  memory,
  models,
  generator,
  version,
}: LoadTestReport): readonly (readonly [string, string])[] {
  const slo = models[0]?.slo;
  return [
    ['What was sent', source],
    ...leftOut.map(({ reason, count }) => ['Left out', `${formatCount(count)}: ${reason}`] as const),
    ...(slo === undefined
      ? []
      : [
          [
            'Objectives',
            `first token ${orDash(slo.ttftMs, formatDuration)}, between tokens ${orDash(slo.interTokenMs, formatDuration)}`,
          ] as const,
        ]),
    ['Throughput', `${formatRate(throughput.requestsPerSecond)} requests/s, ${formatRate(throughput.tokensPerSecond)} tokens/s`],
    ...(queue === null
      ? []
      : [
          [
            'Queue',
            `wait p99 ${orDash(queue.waitP99Ms, formatDuration)}, at most ${orDash(queue.mostWaiting, formatCount)} waiting`,
          ] as const,
        ]),
    ...(memory === null
      ? []
      : [
          [
            'Memory at its height',
            memory.totalBytes === null ? formatBytes(memory.peakBytes) : formatBytesOf(memory.peakBytes, memory.totalBytes),
          ] as const,
        ]),
    ['Sent late, p99', `${orDash(generator.late.p99, formatDuration)}; the sender took ${generator.cores.toFixed(2)} cores`],
    ['Version', version],
  ];
}
