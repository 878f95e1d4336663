import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ExportPlace } from '../../../engine/ledger/store/messages.ts';
import type { ExportFormat, ExportTable } from '../../../engine/ledger/ledger.ts';
import { exportHeader, exportLine } from '../../../engine/ledger/store/export-text.ts';
import { StoreFixture } from './files.ts';
import { aRequest, aSample, SOME_MS } from './records.ts';

const RANGE = { fromMs: SOME_MS - 1_000, toMs: SOME_MS + 3_600_000 };

function exported(store: StoreFixture, table: ExportTable, format: ExportFormat): readonly string[] {
  const pieces = [];
  let after: ExportPlace | null = null;
  do {
    const piece: { text: string; next: ExportPlace | null } = store.read<'export'>({
      kind: 'export',
      query: { range: RANGE, table, format },
      after,
    });
    pieces.push(piece.text);
    after = piece.next;
  } while (after !== null);
  return pieces;
}

/** RFC 4180, section 2, read letter by letter. */
function parseCsv(text: string): readonly (readonly string[])[] {
  const rows: string[][] = [];
  let row: string[] = [];
  let cell = '';
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const letter = text[at] ?? '';
    if (quoted && letter === '"' && text[at + 1] === '"') [cell, at] = [`${cell}"`, at + 1];
    else if (letter === '"') quoted = !quoted;
    else if (!quoted && letter === ',') [row, cell] = [[...row, cell], ''];
    else if (!quoted && letter === '\r' && text[at + 1] === '\n') {
      rows.push([...row, cell]);
      [row, cell, at] = [[], '', at + 1];
    } else cell += letter;
  }
  return rows;
}

describe('export', () => {
  it('gives every request once, in pieces, as CSV and as JSON lines', () => {
    using store = new StoreFixture();
    const records = Array.from({ length: 450 }, (_, at) =>
      aRequest({ requestId: `client-${at}`, atMs: SOME_MS + at, modelAsked: 'a, "b"\nc' }),
    );
    store.write({ requests: records });
    const csv = exported(store, 'requests', 'csv');
    expect(csv.length).toBeGreaterThan(2);
    const [head, ...rows] = parseCsv(csv.join(''));
    expect(rows.map((row) => row[head?.indexOf('requestId') ?? -1])).toEqual(records.map(({ requestId }) => requestId));
    expect(rows.every((row) => row[head?.indexOf('modelAsked') ?? -1] === 'a, "b"\nc')).toBe(true);
    const objects = exported(store, 'requests', 'jsonl')
      .join('')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    expect(objects).toMatchObject(records);
    expect(Object.keys(objects[0] ?? {})).toEqual(head);
  });

  it('ends with an exact multiple of a piece', () => {
    using store = new StoreFixture();
    store.write({ requests: Array.from({ length: 400 }, (_, at) => aRequest({ atMs: SOME_MS + at })) });
    expect(exported(store, 'requests', 'jsonl').join('').trim().split('\n')).toHaveLength(400);
  });

  it('has a row for the server, each device and each model of each second', () => {
    using store = new StoreFixture();
    store.write({ samples: Array.from({ length: 250 }, (_, at) => aSample({ atMs: SOME_MS + at * 1_000 })) });
    const [head = [], ...rows] = parseCsv(exported(store, 'samples', 'csv').join(''));
    const kinds = Map.groupBy(rows, (row) => row[head.indexOf('kind')]);
    expect(['server', 'device', 'model'].map((kind) => kinds.get(kind)?.length)).toEqual([250, 250, 250]);
    const device = Object.fromEntries(head.map((name, at) => [name, kinds.get('device')?.[0]?.[at]]));
    expect(device).toMatchObject({
      atMs: String(SOME_MS),
      stepMs: '1000',
      name: 'cpu',
      utilisation: '0.5',
      powerWatts: '80',
      powerMeasured: 'false',
    });
  });

  it('is a header alone, or nothing, when there is nothing', () => {
    using store = new StoreFixture();
    expect(parseCsv(exported(store, 'alerts', 'csv').join(''))).toHaveLength(1);
    expect(exported(store, 'alerts', 'jsonl').join('')).toBe('');
  });

  it('writes any text so that a CSV reader gives it back', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme' }), { minLength: 1, maxLength: 5 }), (cells) => {
        const columns = cells.map((_, at) => `c${at}`);
        const row = Object.fromEntries(cells.map((cell, at) => [`c${at}`, cell]));
        const [head, line] = parseCsv(exportHeader(columns, 'csv') + exportLine(columns, row, 'csv'));
        expect(head).toEqual(columns);
        // What a spreadsheet would run as a formula has an apostrophe before it.
        expect(line).toEqual(cells.map((cell) => (/^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell)));
      }),
    );
  });

  it('leaves numbers below zero as numbers', () => {
    expect(exportLine(['a', 'b'], { a: -1.5, b: '-1' }, 'csv')).toBe("-1.5,'-1\r\n");
  });
});
