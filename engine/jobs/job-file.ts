// Owns the file that remembers jobs over a restart. It appears whole, by one rename; a damaged one is no memory.
// Knows nothing about processes.
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { JobStatus } from '../contract.ts';
import type { JobRequest } from './job-control.ts';

export interface StoredJob {
  readonly status: JobStatus;
  readonly request: JobRequest;
  /** Of its process, while there is one. */
  readonly pid: number | null;
}

export class JobFile {
  readonly #path: string;
  #writing: Promise<void> = Promise.resolve();
  #next: readonly StoredJob[] | null = null;

  constructor(path: string) {
    this.#path = path;
  }

  /** Empty when there is no file, or not one of ours. */
  async read(): Promise<readonly StoredJob[]> {
    const text = await readFile(this.#path, 'utf8').catch((cause: unknown) => {
      if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return '[]';
      throw cause;
    });
    return parseJobs(text);
  }

  /** Writes these jobs; of several calls while one write goes on only the last counts. Resolves when they are in the file. */
  write(jobs: readonly StoredJob[]): Promise<void> {
    const isDue = this.#next === null;
    this.#next = jobs;
    if (isDue) this.#writing = this.#writing.catch(() => undefined).then(() => this.#writeNext());
    return this.#writing;
  }

  async #writeNext(): Promise<void> {
    const jobs = this.#next;
    this.#next = null;
    await mkdir(dirname(this.#path), { recursive: true });
    await writeFile(`${this.#path}.next`, JSON.stringify(jobs), { flush: true });
    await rename(`${this.#path}.next`, this.#path);
  }
}

function parseJobs(text: string): readonly StoredJob[] {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value.filter(isJob) : [];
  } catch {
    return [];
  }
}

function isJob(value: unknown): value is StoredJob {
  if (typeof value !== 'object' || value === null || !('status' in value) || !('request' in value) || !('pid' in value)) return false;
  const { status, request } = value;
  const hasStatus = typeof status === 'object' && status !== null && 'id' in status && 'state' in status && 'startedMs' in status;
  return hasStatus && typeof request === 'object' && request !== null && ('name' in request || 'model' in request);
}
