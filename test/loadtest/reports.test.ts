// What is kept of load tests: order, damage, and how many.
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LoadTestReports, reportId } from '../../engine/loadtest/reports.ts';
import { loadTestReport } from './factories.ts';

let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'millrace-loadtests-'));
});
afterEach(() => rm(dataDir, { recursive: true }));

const startMs = Date.UTC(2026, 10, 24, 12);
const at = (minute: number) => startMs + minute * 60_000;
const report = (minute: number, over = {}) => loadTestReport({ id: reportId(at(minute), 0.5), startedMs: at(minute), ...over });

describe('reports of load tests', () => {
  it('are empty before the first, and give back what was saved, newest first', async () => {
    const reports = new LoadTestReports(dataDir);
    expect(await reports.list()).toEqual([]);
    for (const minute of [1, 3, 2]) await reports.save(report(minute));
    expect((await reports.list()).map(({ startedMs }) => startedMs)).toEqual([at(3), at(2), at(1)]);
    expect(await reports.read(reportId(at(2), 0.5))).toEqual(report(2));
  });

  it('tell the last of this machine at a factor', async () => {
    const reports = new LoadTestReports(dataDir);
    const { asked } = loadTestReport();
    await reports.save(report(1));
    await reports.save(report(2, { asked: { ...asked, factor: 4 } }));
    await reports.save(report(3, { asked: { ...asked, url: 'http://192.168.0.7:8000' } }));
    expect((await reports.last(2))?.startedMs).toBe(at(1));
    expect(await reports.last(1)).toBeNull();
  });

  it('pass over a damaged file and say so', async () => {
    const faults: string[] = [];
    const reports = new LoadTestReports(dataDir, (path) => faults.push(path));
    await reports.save(report(1));
    await writeFile(join(dataDir, 'loadtests', '20990101-000000-0000.json'), '{"id":');
    expect(await reports.list()).toHaveLength(1);
    expect(faults).toEqual([join(dataDir, 'loadtests', '20990101-000000-0000.json')]);
  });

  it('forget the oldest beyond two hundred', async () => {
    const reports = new LoadTestReports(dataDir);
    for (let minute = 0; minute < 202; minute++) await reports.save(report(minute));
    expect(await readdir(join(dataDir, 'loadtests'))).toHaveLength(200);
    await expect(reports.read(reportId(at(1), 0.5))).rejects.toMatchObject({ code: 'not_found' });
  });

  it('refuse an id that leads out of their folder', async () => {
    const reports = new LoadTestReports(dataDir);
    await expect(reports.read('../settings')).rejects.toMatchObject({ code: 'not_found' });
    await reports.save(report(1));
    await reports.remove(reportId(at(1), 0.5));
    expect(await reports.list()).toEqual([]);
  });
});
