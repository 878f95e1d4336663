// A load test's report as one HTML file that needs nothing else: figures in tables, the timeline as a drawing. Pure.
import type { LoadPoint, LoadTestReport, Percentiles } from '../contract.ts';
import { ms } from './report-text.ts';

const STYLE = `
:root { color-scheme: light dark; font: 14px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; margin: 0.5rem 0 1.5rem; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: 0.25rem 0.75rem 0.25rem 0; border-bottom: 1px solid color-mix(in srgb, currentColor 20%, transparent); }
svg { width: 100%; height: auto; } .good { fill: #2e7d4f; } .bad { fill: #b3402e; } .open { fill: none; stroke: currentColor; }
@media (max-width: 30rem) { th, td { padding-right: 0.25rem; font-size: 12px; } }`;

export function reportHtml(report: LoadTestReport): string {
  const { verdict, sentence, firstToGive, startedMs, version } = report;
  const when = new Date(startedMs).toISOString().slice(0, 16).replace('T', ' ');
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Load test ${when}</title>
<style>${STYLE}</style></head><body>
<h1>Load test: ${text(verdict)}</h1>
<p>${text(sentence)}</p>
<p><strong>${text(firstToGive.sentence)}</strong> ${text(firstToGive.advice)}</p>
${timelineSvg(report.timeline)}
${table('Figures', ['', ''], figures(report))}
${table('Times', ['', 'p50', 'p95', 'p99', 'most'], times(report))}
${table('Models', ['Model', 'Requests', 'Failed', 'Within objectives', 'TTFT p99', 'Between tokens p99'], models(report))}
${table(
  'Errors',
  ['Status', 'Message', 'Count'],
  report.errors.map((error) => [error.status, error.message, error.count].map(String)),
)}
<p>${when} UTC, Millrace ${text(version)}, report ${text(report.id)}</p>
</body></html>
`;
}

function figures({
  asked,
  source,
  requests,
  goodput,
  throughput,
  queue,
  memory,
  cost,
  generator,
  leftOut,
}: LoadTestReport): readonly string[][] {
  return [
    ['Server', asked.url ?? 'this machine'],
    ['Load', `${asked.factor} × ${source}, ${asked.minutes} min`],
    ['Requests', `${requests.planned} planned, ${requests.sent} sent, ${requests.ok} answered, ${requests.failed} failed`],
    ...leftOut.map(({ reason, count }) => ['Left out', `${count}: ${reason}`]),
    ['Goodput', `${goodput.requestsPerSecond.toFixed(2)} requests/s, ${goodput.tokensPerSecond.toFixed(1)} tokens/s`],
    ['Throughput', `${throughput.requestsPerSecond.toFixed(2)} requests/s, ${throughput.tokensPerSecond.toFixed(1)} tokens/s`],
    ...(queue === null
      ? []
      : [['Queue', `wait p50 ${ms(queue.waitP50Ms)}, p99 ${ms(queue.waitP99Ms)}, at most ${queue.mostWaiting ?? '-'} waiting`]]),
    ...(memory === null ? [] : [['Memory', `${(memory.peakBytes / 1e9).toFixed(1)} GB at its height`]]),
    ...(cost === null ? [] : [['Cost', `$${cost.usd.toPrecision(3)}, $${cost.usdPerRequest.toPrecision(3)} a request`]]),
    ['Generator', `late p99 ${ms(generator.late.p99)}, ${generator.cores.toFixed(2)} cores`],
  ];
}

function times({ ttft, interToken, total }: LoadTestReport): readonly string[][] {
  const row = (name: string, { p50, p95, p99, max }: Percentiles): string[] => [name, ...[p50, p95, p99, max].map(ms)];
  return [row('From due to the first token', ttft), row('Between tokens', interToken), row('From due to the end', total)];
}

function models({ models: of }: LoadTestReport): readonly string[][] {
  return of.map(({ model, requests, failed, good, ttft, interToken }) => [
    model,
    ...[requests, failed, good].map(String),
    ms(ttft.p99),
    ms(interToken.p99),
  ]);
}

function table(title: string, heads: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return '';
  const head = heads.some((name) => name !== '') ? `<tr>${heads.map((name) => `<th scope="col">${text(name)}</th>`).join('')}</tr>` : '';
  const body = rows.map(
    ([first = '', ...rest]) => `<tr><th scope="row">${text(first)}</th>${rest.map((cell) => `<td>${text(cell)}</td>`).join('')}</tr>`,
  );
  return `<h2>${text(title)}</h2><table>${head}${body.join('')}</table>`;
}

const [WIDTH, HEIGHT] = [600, 120];

/** A column a step: those within their objectives below, the others above; a line for those under way. */
function timelineSvg(timeline: readonly LoadPoint[]): string {
  const most = Math.max(1, ...timeline.flatMap(({ due, open }) => [due, open]));
  const step = WIDTH / Math.max(1, timeline.length);
  const height = (count: number): number => (count / most) * HEIGHT;
  const columns = timeline.map(({ due, good }, i) => {
    const column = (kind: string, count: number, above: number): string =>
      `<rect class="${kind}" x="${fixed(i * step)}" width="${fixed(step * 0.8)}" y="${fixed(HEIGHT - height(count + above))}" height="${fixed(height(count))}"/>`;
    return column('good', good, 0) + column('bad', due - good, good);
  });
  const open = timeline.map((point, i) => `${fixed((i + 0.4) * step)},${fixed(HEIGHT - height(point.open))}`).join(' ');
  return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="Requests by the time at which they were due">${columns.join('')}<polyline class="open" points="${open}"/></svg>
<p>Columns: requests by the time at which they were due, within their objectives below and the others above. Line: requests under way.</p>`;
}

const fixed = (value: number): string => value.toFixed(1);

function text(value: string): string {
  return value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
