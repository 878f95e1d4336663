import fc from 'fast-check';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decidePermission, type Surroundings } from '../../../engine/jobs/batches/permission.ts';
import { planRows, QUIET_MS, type RowsView } from '../../../engine/jobs/batches/plan-rows.ts';
import { readInput } from '../../../engine/jobs/batches/read-input.ts';
import { judgeAnswer } from '../../../engine/jobs/batches/row-line.ts';
import { windowMs } from '../../../engine/jobs/batches/window.ts';
import { DEFAULT_SETTINGS } from '../../../engine/ledger/settings/defaults.ts';
import { isOnMains } from '../../../engine/ledger/devices/mains.ts';
import { ENDPOINT, line } from './opened.ts';

const view = (extra: Partial<RowsView> = {}): RowsView => ({
  foreground: 0,
  quietMs: QUIET_MS,
  permission: { kind: 'granted' },
  storageFault: null,
  pending: 1,
  inFlight: 0,
  slots: 16,
  maxRows: null,
  ...extra,
});

describe('planRows', () => {
  it('fills the slots and keeps a few rows at hand', () => {
    expect(planRows(view())).toMatchObject({ kind: 'run', rows: 20 });
    expect(planRows(view({ maxRows: 3 }))).toMatchObject({ kind: 'run', rows: 3 });
    expect(planRows(view({ pending: 0 }))).toMatchObject({ kind: 'idle' });
  });

  it('runs none beside interactive requests, whatever else holds', () => {
    const anyView = fc.record({
      foreground: fc.integer({ min: 1, max: 99 }),
      quietMs: fc.nat(),
      slots: fc.option(fc.nat()),
      pending: fc.nat(),
    });
    fc.assert(fc.property(anyView, (extra) => planRows(view({ ...extra, inFlight: 1 })).kind === 'wait'));
    expect(planRows(view({ foreground: 1 }))).toMatchObject({ isPreempted: true });
  });

  it('waits a moment after the last one, and while results cannot be written, and stops nothing for that', () => {
    expect(planRows(view({ quietMs: QUIET_MS - 1 }))).toMatchObject({ kind: 'wait', isPreempted: false });
    expect(planRows(view({ storageFault: 'The disk is full.' }))).toMatchObject({ kind: 'wait', isPreempted: false });
  });
});

describe('decidePermission', () => {
  const settings = DEFAULT_SETTINGS.batch;
  const around: Surroundings = { minuteOfDay: 60, isOnMains: true, celsius: 50, usdPerKwh: 0.3 };

  it('keeps a laptop on its battery from batches, and a machine that does not tell not', () => {
    expect(decidePermission(settings, { ...around, isOnMains: false })).toMatchObject({ kind: 'refused' });
    expect(decidePermission({ ...settings, mainsOnly: false }, { ...around, isOnMains: false })).toEqual({ kind: 'granted' });
    expect(decidePermission(settings, { ...around, isOnMains: null, celsius: null })).toEqual({ kind: 'granted' });
  });

  it('knows spans that go over midnight', () => {
    const nights = { ...settings, windows: [{ from: '22:00', to: '06:00' }] };
    const kindAt = (minuteOfDay: number): string => decidePermission(nights, { ...around, minuteOfDay }).kind;
    expect([0, 359, 360, 1319, 1320, 1439].map(kindAt)).toEqual(['granted', 'granted', 'refused', 'refused', 'granted', 'granted']);
  });

  it('minds temperature, and the tariff of the hour', () => {
    expect(decidePermission(settings, { ...around, celsius: 86 })).toMatchObject({ kind: 'refused' });
    const cheap = { ...settings, maxUsdPerKwh: 0.2, tariffs: [{ from: '00:00', to: '05:00', usdPerKwh: 0.1 }] };
    expect(decidePermission(cheap, around).kind).toBe('granted');
    expect(decidePermission(cheap, { ...around, minuteOfDay: 300 }).kind).toBe('refused');
  });
});

describe('isOnMains', () => {
  const supply = { type: null, online: null, status: null, scope: null };
  it('reads adapters and batteries, not those of a mouse', () => {
    expect(isOnMains([])).toBeNull();
    expect(isOnMains([{ ...supply, type: 'Mains', online: '0' }])).toBe(false);
    expect(isOnMains([{ ...supply, type: 'Battery', status: 'Discharging' }])).toBe(false);
    expect(isOnMains([{ ...supply, type: 'Battery', status: 'Discharging', scope: 'Device' }])).toBeNull();
  });
});

describe('judgeAnswer', () => {
  const name = { batch: 'batch_ab', line: 3, customId: 'a"b' };
  it('writes lines that OpenAI’s clients read', () => {
    const verdict = judgeAnswer(name, { status: 200, body: '{"x":1}' }, 'req', 1);
    expect(verdict.kind === 'again' ? null : JSON.parse(verdict.text)).toEqual({
      id: 'batch_req_ab_3',
      custom_id: 'a"b',
      response: { status_code: 200, request_id: 'req', body: { x: 1 } },
      error: null,
    });
  });

  it('gives up after three failures that count', () => {
    const died = { status: 502, body: '{"error":{"code":"runner_died"}}' };
    expect([1, 2, 3].map((tries) => judgeAnswer(name, died, 'req', tries).kind)).toEqual(['again', 'again', 'error']);
  });
});

describe('windowMs', () => {
  it('takes hours and days', () => {
    expect([windowMs('24h'), windowMs('7d')]).toEqual([86_400_000, 604_800_000]);
    for (const wrong of ['', '24', '0h', '31d', '24 h', '99999h']) expect(() => windowMs(wrong)).toThrow(/completion_window/);
  });
});

describe('readInput', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'millrace-input-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));
  const read = async (text: string | Buffer) => {
    await writeFile(join(folder, 'in.jsonl'), text);
    return readInput(join(folder, 'in.jsonl'), ENDPOINT);
  };

  it('finds each line where it lies, whatever lengths the lines have', async () => {
    const lengths = fc.array(fc.integer({ min: 0, max: 400_000 }), { minLength: 1, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(lengths, async (texts) => {
        const lines = texts.map((length, at) => line(`row-${at}`, { pad: 'é'.repeat(length) }));
        const bytes = Buffer.from(lines.join('\n'));
        const found = await read(bytes);
        if (found.kind !== 'rows') throw new Error('faulty');
        expect(found.rows).toHaveLength(lines.length);
        for (const { line: number, offset, length } of found.rows)
          expect(bytes.subarray(offset, offset + length).toString()).toBe(lines[number - 1]);
      }),
      { numRuns: 10 },
    );
  });

  it('takes a byte order mark, blank lines and line ends of Windows', async () => {
    const found = await read(`\uFEFF${line('a')}\r\n\r\n${line('b')}\r\n`);
    expect(found).toMatchObject({
      kind: 'rows',
      rows: [
        { line: 1, customId: 'a' },
        { line: 3, customId: 'b' },
      ],
    });
  });

  it('refuses what is empty, no UTF-8, or too much', async () => {
    const codes = (found: ReturnType<typeof readInput>) => (found.kind === 'faulty' ? found.faults.map(({ code }) => code) : []);
    expect(codes(await read(''))).toEqual(['empty_file']);
    expect(codes(await read(Buffer.from([0xff, 0xfe, 0x0a])))).toEqual(['invalid_encoding']);
    const many = codes(await read(Array.from({ length: 150 }, () => '{}').join('\n')));
    expect([many.length, many.at(-1)]).toEqual([101, 'more_faults']);
    expect(codes(await read(Array.from({ length: 50_001 }, (_, at) => line(String(at))).join('\n')))).toEqual(['too_many_rows']);
    expect(codes(await read(line('a', { stream: true })))).toEqual(['invalid_stream']);
  });
});
