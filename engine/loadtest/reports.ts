// Owns the reports that are kept: one JSON file each in the folder `loadtests`, the newest 200.
// Each appears whole, by one rename. A file that is none of ours is passed over and told of.
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { LoadFactor, LoadTestReport, LoadTestSummary } from '../contract.ts';
import { EngineError } from '../errors.ts';

const MOST_KEPT = 200;
const ID = /^[0-9a-z-]{1,64}$/;
const REPORTS_FOLDER = 'loadtests';

export class LoadTestReports {
  readonly #folder: string;
  readonly #onFault: (path: string, cause: unknown) => void;

  constructor(dataDir: string, onFault: (path: string, cause: unknown) => void = () => undefined) {
    this.#folder = join(dataDir, REPORTS_FOLDER);
    this.#onFault = onFault;
  }

  /** Newest first. */
  async list(): Promise<readonly LoadTestSummary[]> {
    const reports = await Promise.all((await this.#ids()).map((id) => this.#readOr(id)));
    return reports.flatMap((report) => (report === null ? [] : [summaryOf(report)]));
  }

  /** @throws EngineError `not_found` */
  async read(id: string): Promise<LoadTestReport> {
    const report = ID.test(id) ? await this.#readOr(id) : null;
    if (report === null) throw new EngineError('not_found', `There is no load test ${id}.`, { param: 'id' });
    return report;
  }

  /** The last one of this machine itself at this factor, whatever its verdict; null when there is none. */
  async last(factor: LoadFactor): Promise<LoadTestSummary | null> {
    return (await this.list()).find(({ asked }) => asked.factor === factor && asked.url === null) ?? null;
  }

  /** Durable when it resolves; the oldest beyond those kept are deleted. */
  async save(report: LoadTestReport): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    const path = this.#path(report.id);
    await writeFile(`${path}.next`, JSON.stringify(report), { flush: true });
    await rename(`${path}.next`, path);
    for (const id of (await this.#ids()).slice(MOST_KEPT)) await rm(this.#path(id), { force: true });
  }

  /** @throws EngineError `not_found` */
  async remove(id: string): Promise<void> {
    await this.read(id);
    await rm(this.#path(id), { force: true });
  }

  #path(id: string): string {
    return join(this.#folder, `${id}.json`);
  }

  /** Newest first: ids begin with the time. */
  async #ids(): Promise<readonly string[]> {
    const names = await readdir(this.#folder).catch((cause: unknown) => {
      if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return [];
      throw cause;
    });
    return names
      .filter((name) => name.endsWith('.json'))
      .map((name) => name.slice(0, -'.json'.length))
      .sort()
      .reverse();
  }

  async #readOr(id: string): Promise<LoadTestReport | null> {
    const path = this.#path(id);
    try {
      const value: unknown = JSON.parse(await readFile(path, 'utf8'));
      if (isReport(value, id)) return value;
      throw new TypeError('It is not a report of a load test.');
    } catch (cause) {
      if (!(cause instanceof Error && 'code' in cause && cause.code === 'ENOENT')) this.#onFault(path, cause);
      return null;
    }
  }
}

/** `20261124-181500-3f2a`, of the start in UTC and four hexadecimal digits. */
export function reportId(startedMs: number, random: number): string {
  const [day = '', time = ''] = new Date(startedMs).toISOString().split('T');
  const suffix = Math.floor(random * 0x1_0000)
    .toString(16)
    .padStart(4, '0');
  return `${day.replaceAll('-', '')}-${time.slice(0, 8).replaceAll(':', '')}-${suffix}`;
}

export function summaryOf(report: LoadTestReport): LoadTestSummary {
  const { id, startedMs, endedMs, asked, source, verdict, sentence, requests, goodput, ttft, interToken, cost } = report;
  return { id, startedMs, endedMs, asked, source, verdict, sentence, requests, goodput, ttft, interToken, cost };
}

/** Enough to show it: what was written by another version may lack more, and is passed over. */
function isReport(value: unknown, id: string): value is LoadTestReport {
  if (typeof value !== 'object' || value === null) return false;
  const fields = ['asked', 'verdict', 'sentence', 'requests', 'goodput', 'ttft', 'interToken', 'firstToGive', 'models', 'timeline'];
  return 'id' in value && value.id === id && 'startedMs' in value && fields.every((field) => field in value);
}
