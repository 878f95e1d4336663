import { describe, expect, test } from 'vitest';
import { createJsonProgress, createProgress, formatBytes, formatProgress, speedOf } from '../../engine/cli/progress.ts';
import { formatTable } from '../../engine/cli/list.ts';
import { curlLine } from '../../engine/cli/serve.ts';

function recorder(isTTY: boolean): { isTTY: boolean; columns: number; written: string[]; write(text: string): void } {
  const written: string[] = [];
  return { isTTY, columns: 60, written, write: (text) => void written.push(text) };
}

describe('progress', () => {
  test('says share, amount, speed and time left', () => {
    const line = formatProgress({ label: 'x', done: 25e6, total: 100e6, perSecond: 5e6, unit: 'bytes' });
    expect(line).toBe(`x  [${'='.repeat(6)}>${' '.repeat(17)}]   25%  25.0 MB of 100 MB  5.0 MB/s  15 s left`);
  });

  test('says what is known when the total is not', () => {
    expect(formatProgress({ label: 'x', done: 1234, total: null, perSecond: null, unit: 'bytes' })).toBe('x  1.2 kB');
    expect(formatProgress({ label: 'x', done: 3, total: 3, perSecond: 1, unit: 'steps' })).toContain('100%');
  });

  test('measures speed over the samples, and none over too short a time', () => {
    expect(
      speedOf([
        { atMs: 0, done: 0 },
        { atMs: 2000, done: 10 },
      ]),
    ).toBe(5);
    expect(
      speedOf([
        { atMs: 0, done: 0 },
        { atMs: 100, done: 10 },
      ]),
    ).toBeNull();
    expect(speedOf([])).toBeNull();
  });

  test('redraws one line on a terminal, within its width, and ends it', () => {
    const target = recorder(true);
    let nowMs = 0;
    const progress = createProgress(target, 'bytes', () => nowMs);
    for (nowMs = 0; nowMs <= 1000; nowMs += 10) progress.update('a long label that does not fit into this terminal', nowMs, 1000);
    progress.end();
    expect(target.written.filter((text) => text.startsWith('\r')).length).toBeLessThanOrEqual(12);
    expect(target.written.every((text) => text.replace('\r\u001b[2K', '').length < 60)).toBe(true);
    expect(target.written.at(-1)).toBe('\n');
  });

  test('writes plain lines elsewhere: the first, some, the last', () => {
    const target = recorder(false);
    let nowMs = 0;
    const progress = createProgress(target, 'steps', () => nowMs);
    for (nowMs = 0; nowMs <= 12_000; nowMs += 100) progress.update('x', nowMs, 12_000);
    progress.end();
    expect(target.written).toHaveLength(4);
    expect(target.written.join('')).not.toContain('\r');
    expect(target.written.at(-1)).toContain('100%');
  });

  test('is a line of JSON for programs: each new step, some between, the last', () => {
    const target = recorder(false);
    let nowMs = 0;
    const progress = createJsonProgress(target, 'bytes', () => nowMs);
    for (nowMs = 0; nowMs < 1000; nowMs += 10) progress.update('Fetching a', nowMs * 100, 100_000);
    progress.update('Fetching b', 0, null);
    progress.update('Fetching b', 7, null);
    progress.end();
    const lines = target.written.map(
      (text) => (JSON.parse(text) as { progress: { step: string; done: number; perSecond: number } }).progress,
    );
    expect(lines.map(({ step, done }) => [step, done])).toEqual([
      ...[0, 25_000, 50_000, 75_000].map((done) => ['Fetching a', done]),
      ['Fetching b', 0],
      ['Fetching b', 7],
    ]);
    expect(lines[3]).toEqual({ step: 'Fetching a', done: 75_000, total: 100_000, unit: 'bytes', perSecond: 100_000 });
    expect(lines[4]?.perSecond).toBeNull();
  });

  test('knows the speed of steps that are rarer than its window', () => {
    const target = recorder(false);
    let nowMs = 0;
    const progress = createJsonProgress(target, 'steps', () => nowMs);
    for (let step = 0; step <= 3; step++, nowMs += 8000) progress.update('Converting', step, 30);
    expect(target.written.at(-1)).toContain('"perSecond":0.125');
  });

  test.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.0 kB'],
    [179_000_000, '179 MB'],
    [8.1e9, '8.1 GB'],
  ])('writes %d bytes as %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });
});

describe('what is printed', () => {
  test('aligns columns', () => {
    expect(
      formatTable([
        ['A', 'B'],
        ['long', 'x'],
      ]),
    ).toEqual(['A     B', 'long  x']);
  });

  test('holds no quote that would end the shell argument of the curl line', () => {
    const line = curlLine('http://127.0.0.1:1', 'm');
    expect(line.match(/'/g)).toHaveLength(4);
    expect(JSON.parse(/-d '(.*)'$/.exec(line)?.[1] ?? '')).toMatchObject({ model: 'm' });
  });
});
