// Writes batches and settings without end, and prints each once it is acknowledged. A test kills it.
import { pino } from 'pino';
import { SettingsFile } from '../../../engine/ledger/settings/settings-file.ts';
import { Writer } from '../../../engine/ledger/store/writer.ts';
import { aRequest, aSample, SOME_MS } from './records.ts';

const [, , historyPath = '', settingsPath = ''] = process.argv;
const writer = new Writer(historyPath);
writer.answer({ kind: 'open', nowMs: SOME_MS });
const settings = await SettingsFile.open(settingsPath, pino({ level: 'silent' }));

for (let turn = 1; ; turn++) {
  const requests = [1, 2, 3].map((at) => aRequest({ requestId: `turn-${turn}-${at}`, atMs: SOME_MS + turn }));
  const batch = { id: `turn ${turn}`, requests, samples: [aSample({ atMs: SOME_MS + turn * 1_000 })], alerts: [] };
  const answer = writer.answer({ kind: 'write', batch });
  if (answer.kind === 'fault') throw new Error(answer.fault.detail);
  process.stdout.write(`batch ${turn}\n`);
  await settings.change({ cost: { idleWatts: turn } });
  process.stdout.write(`settings ${turn}\n`);
}
