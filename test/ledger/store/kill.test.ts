// A process that is killed in the middle of writing leaves files that open, with everything it had acknowledged.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { expect, it } from 'vitest';
import { SettingsFile } from '../../../engine/ledger/settings/settings-file.ts';
import { openDatabase } from '../../../engine/ledger/store/database.ts';
import { MIGRATIONS } from '../../../engine/ledger/store/schema.ts';
import { aFolder } from './files.ts';
import { SOME_MS } from './records.ts';

const SCRIPT = fileURLToPath(new URL('write-until-killed.ts', import.meta.url));

/** Kills the process after so many lines; returns the last number it printed for each kind of line. */
async function runAndKill(paths: readonly string[], lines: number): Promise<ReadonlyMap<string, number>> {
  const child = spawn(process.execPath, [SCRIPT, ...paths], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.setEncoding('utf8');
  child.stdout.on('data', (piece: string) => {
    text += piece;
    if (text.split('\n').length > lines) child.kill('SIGKILL');
  });
  const [, signal] = (await once(child, 'close')) as [number | null, string | null];
  expect(signal).toBe('SIGKILL');
  const printed = text
    .split('\n')
    .slice(0, -1)
    .map((line) => line.split(' '));
  return new Map(printed.map(([kind = '', turn]) => [kind, Number(turn)]));
}

it.each([1, 40, 101])('kill -9 after %i acknowledgements', { timeout: 60_000 }, async (lines) => {
  using folder = aFolder();
  const [history, settings] = [join(folder.path, 'history.db'), join(folder.path, 'settings.json')];
  const acknowledged = await runAndKill([history, settings], lines);
  const { db, setAside } = openDatabase({ path: history, migrations: MIGRATIONS, synchronous: 'normal', nowMs: SOME_MS });
  expect(setAside).toBeNull();
  const turns = db.prepare<[], number>('SELECT count(*) FROM requests').pluck().get() ?? 0;
  const sums = db.prepare('SELECT sum(requests) FROM request_stats WHERE grain = 3').pluck().get();
  db.close();
  // The kill may come between a commit and its line.
  expect(turns % 3).toBe(0);
  expect(turns / 3).toBeGreaterThanOrEqual(acknowledged.get('batch') ?? Number.NaN);
  expect(sums).toBe(turns);
  const { cost } = (await SettingsFile.open(settings, pino({ level: 'silent' }))).current;
  if (acknowledged.has('settings')) expect(cost.idleWatts).toBeGreaterThanOrEqual(acknowledged.get('settings') ?? Number.NaN);
});
