// Batches over a fake gateway, in a folder of their own, with a clock that the test sets; closed and removed after the test.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pino } from 'pino';
import { afterEach } from 'vitest';
import { Batches, type BatchesOptions } from '../../../engine/jobs/batches/batches.ts';
import type { Batch, BatchWish, Owner } from '../../../engine/jobs/batches/batch-control.ts';
import { DEFAULT_SETTINGS } from '../../../engine/ledger/settings/defaults.ts';
import type { FakeRows } from '../../fakes/rows.ts';

export const LOCAL_OWNER: Owner = { tenant: 'local', keyId: null, seesAll: true };
export const ENDPOINT = '/v1/chat/completions';
const ENDED = ['completed', 'failed', 'expired', 'cancelled'];

const folders: string[] = [];
const open: Batches[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((batches) => batches.close()));
  await Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true, force: true })));
});

export async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-batches-'));
  folders.push(folder);
  return folder;
}

export async function openBatches(server: FakeRows, options: Partial<BatchesOptions> = {}): Promise<Batches> {
  const batches = new Batches({
    dataDir: options.dataDir ?? (await newFolder()),
    log: pino({ level: 'silent' }),
    server,
    settings: () => DEFAULT_SETTINGS.batch,
    surroundings: () => ({ minuteOfDay: 0, isOnMains: true, celsius: 40, usdPerKwh: 0.3 }),
    ...options,
  });
  open.push(batches);
  await batches.open();
  return batches;
}

/** One line of an input file. */
export function line(customId: string, body: object = {}): string {
  return JSON.stringify({ custom_id: customId, method: 'POST', url: ENDPOINT, body: { model: 'fake', messages: [], ...body } });
}

export const rows = (count: number): string => Array.from({ length: count }, (_, at) => line(`row-${at}`)).join('\n');

async function* bytesOf(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}

/** Uploads a file and makes a batch of it. */
export async function submit(batches: Batches, text: string, wish: Partial<BatchWish> = {}, owner = LOCAL_OWNER): Promise<Batch> {
  const file = await batches.keep(await batches.receive(bytesOf(text)), { filename: 'in.jsonl', lifeMs: null }, owner);
  const whole = { endpoint: ENDPOINT, inputFileId: file.id, window: '24h', metadata: null, outputLifeMs: null, ...wish };
  return batches.create(whole, owner);
}

/** The batch as it is once something holds of it. */
export async function batchWhen(batches: Batches, id: string, holds: (batch: Batch) => boolean): Promise<Batch> {
  for (;;) {
    const batch = await batches.batch(id, LOCAL_OWNER);
    if (holds(batch)) return batch;
    await delay(10);
  }
}

export function ended(batches: Batches, id: string): Promise<Batch> {
  return batchWhen(batches, id, ({ status }) => ENDED.includes(status));
}

export interface ResultLine {
  readonly id: string;
  readonly custom_id: string;
  readonly response: { readonly status_code: number; readonly body: unknown } | null;
  readonly error: { readonly code: string } | null;
}

/** The lines of a file of results; none for a file that there is not. */
export async function linesOf(batches: Batches, fileId: string | null): Promise<readonly ResultLine[]> {
  if (fileId === null) return [];
  const parts: Uint8Array[] = [];
  for await (const part of batches.content(await batches.file(fileId, LOCAL_OWNER))) parts.push(part);
  const text = Buffer.concat(parts).toString();
  return text
    .trimEnd()
    .split('\n')
    .map((one) => JSON.parse(one) as ResultLine);
}

/** Every custom_id in both files, sorted by its number. */
export async function allIds(batches: Batches, batch: Batch): Promise<readonly string[]> {
  const lines = [...(await linesOf(batches, batch.outputFileId)), ...(await linesOf(batches, batch.errorFileId))];
  return lines.map((one) => one.custom_id).toSorted((a, b) => numberOf(a) - numberOf(b));
}

const numberOf = (customId: string): number => Number(customId.replace(/\D/g, ''));
