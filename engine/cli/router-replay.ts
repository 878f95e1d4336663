// `millrace router replay`: graded prompts through the gateway and its routing, as a client of `auto` would send them.
import { createGateway } from '../gateway/gateway.ts';
import { createLog } from '../log.ts';
import { EngineError } from '../errors.ts';
import { readGraded, type GradedRow } from '../routing/complexity/graded.ts';
import { readRouterModel, type RouterModel } from '../routing/complexity/model.ts';
import { seededRandom, shuffled } from '../routing/complexity/random.ts';
import { gradedTarget, PRICES } from '../routing/replay/graded-host.ts';
import { openReplay, type ReplayHost } from '../routing/replay/replay-host.ts';
import { replayReports, type Replayed, type ReplayReport } from '../routing/replay/report.ts';
import { formatTable } from './list.ts';

export interface ReplayFlags {
  readonly model: string | null;
  /** 0..1 */
  readonly bar: number;
  readonly seed: number;
  readonly json: boolean;
}

/** Prints a report per benchmark. @throws EngineError `invalid_request`, `model_file_invalid` */
export async function replay(file: string, { model, bar, seed, json }: ReplayFlags): Promise<void> {
  const rows = await readGraded(file);
  const router = readRouterModel(model ?? undefined);
  const reports = replayReports(await replayRows(rows, { model: router, qualityBar: bar, seed }));
  if (json)
    return print(JSON.stringify({ file, prompts: rows.length, qualityBar: bar, seed, priceRatio: PRICES.strong, reports }, null, 2));
  print(`${rows.length} prompts through the gateway as model auto, with a quality bar of ${bar} and prices of 1 : ${PRICES.strong}`);
  for (const line of formatTable([COLUMNS, ...reports.map(toRow)])) print(line);
}

const COLUMNS = ['BENCHMARK', 'PROMPTS', 'WEAK', 'STRONG', 'AUTO', 'OF STRONG', '±', 'TO STRONG', 'COST SAVED'];

function toRow({ benchmark, prompts, weakAccuracy, strongAccuracy, accuracy, kept, strongShare, saved }: ReplayReport): readonly string[] {
  const of = kept === null ? ['-', '-'] : [percent(kept.share), percent(kept.plusMinus)];
  return [
    benchmark,
    String(prompts),
    ...[weakAccuracy, strongAccuracy, accuracy].map(percent),
    ...of,
    percent(strongShare),
    percent(saved),
  ];
}

export interface ReplayOptions {
  readonly model: RouterModel;
  /** 0..1 */
  readonly qualityBar: number;
  /** Of the order of the prompts: routing looks back on those it has seen. */
  readonly seed: number;
}

/** Serves for as long as it takes, on a free port of this machine's own. */
export async function replayRows(rows: readonly GradedRow[], { model, qualityBar, seed }: ReplayOptions): Promise<readonly Replayed[]> {
  const replaying = openReplay(model, qualityBar);
  const config = { host: '127.0.0.1', port: 0, version: '0' };
  const gateway = await createGateway({ host: replaying.host, config, log: createLog('silent') });
  try {
    const { url } = await gateway.listen();
    const replayed: Replayed[] = [];
    for (const row of shuffled(rows, seededRandom(seed))) replayed.push(await ask(url, row, replaying));
    return replayed;
  } finally {
    await gateway.close({ drainMs: 0 });
  }
}

/** @throws EngineError `invalid_request` for a prompt that the gateway refuses */
async function ask(url: string, row: GradedRow, { graded }: ReplayHost): Promise<Replayed> {
  graded.row = row;
  const body = JSON.stringify({ model: 'auto', messages: messagesOf(row) });
  const response = await fetch(`${url}/v1/chat/completions`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  if (!response.ok) throw new EngineError('invalid_request', `A prompt was refused: ${response.status} ${await response.text()}`);
  const { choices } = (await response.json()) as { readonly choices: readonly { readonly message: { readonly content: string } }[] };
  const target = gradedTarget(response.headers.get('x-millrace-model'));
  if (target === null) throw new EngineError('internal', 'A replayed prompt was answered by neither model.');
  return { row, target, grade: Number(choices[0]?.message.content) };
}

/** Earlier turns are known by their number alone. */
function messagesOf({ facts }: GradedRow): readonly { readonly role: string; readonly content: string }[] {
  const earlier = Array.from({ length: facts.turns }, (_, turn) => ({ role: turn % 2 === 0 ? 'user' : 'assistant', content: '' }));
  return [...earlier, { role: 'user', content: facts.text }];
}

const percent = (share: number): string => `${(share * 100).toFixed(1)}%`;

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
