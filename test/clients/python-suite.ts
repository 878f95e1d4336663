// Runs a Python file of `check_…` functions in one process and reports each as a test of its own.
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type TestAPI, expect } from 'vitest';
import { MODEL } from '../served.ts';
import { clientsPython } from './python.ts';

const run = promisify(execFile);

interface Outcome {
  readonly name: string;
  /** Null: passed; otherwise the traceback. */
  readonly error: string | null;
}

export function pythonSuite(it: TestAPI, baseUrl: () => string, file: string, model = MODEL): void {
  const path = fileURLToPath(new URL(file, import.meta.url));
  const names = [...readFileSync(path, 'utf8').matchAll(/^def check_(\w+)/gm)].map((match) => match[1] ?? '');
  let outcomes: Promise<readonly Outcome[]> | undefined;
  for (const name of names) {
    it(name.replaceAll('_', ' '), async () => {
      outcomes ??= runChecks(path, baseUrl(), model);
      const outcome = (await outcomes).find((candidate) => candidate.name === name);
      expect(outcome, `${file} did not report ${name}`).toBeDefined();
      expect(outcome?.error ?? null).toBeNull();
    });
  }
}

async function runChecks(path: string, baseUrl: string, model: string): Promise<readonly Outcome[]> {
  const { stdout } = await run(await clientsPython(), [path, baseUrl, model], {
    env: { ...process.env, LANGSMITH_TRACING: 'false', PYTHONDONTWRITEBYTECODE: '1' },
  });
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Outcome);
}
