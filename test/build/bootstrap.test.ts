import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';

// Plain JavaScript, as it runs before anything is installed; its types are those of its doc comments.
const { whyUnsupported } = (await import('../../build/bootstrap.mjs' as string)) as { whyUnsupported: (machine: object) => string | null };
const { countTests } = (await import('../../build/test-counts.mjs' as string)) as {
  countTests: (report: object | null, exitCode: number) => { passed: number; failed: number; reasons: string[] };
};
const ROOT = dirname(dirname(import.meta.dirname));

describe('the machine', () => {
  test.each([
    [{ platform: 'linux', arch: 'x64', isMusl: false }],
    [{ platform: 'linux', arch: 'arm64', isMusl: false }],
    [{ platform: 'darwin', arch: 'arm64', isMusl: false }],
    [{ platform: 'win32', arch: 'x64', isMusl: false }],
  ])('%j is supported', (machine) => {
    expect(whyUnsupported(machine)).toBeNull();
  });

  test.each([
    [{ platform: 'darwin', arch: 'x64', isMusl: false }, /Intel/],
    [{ platform: 'linux', arch: 'x64', isMusl: true }, /musl.*glibc/],
    [{ platform: 'freebsd', arch: 'x64', isMusl: false }, /freebsd/],
    [{ platform: 'linux', arch: 'ia32', isMusl: false }, /ia32/],
  ])('%j is refused with the reason', (machine, reason) => {
    expect(whyUnsupported(machine)).toMatch(reason);
  });
});

describe('build/run.mjs', () => {
  test('runs TypeScript with the installed Node, passes arguments on and returns the exit code', () => {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-run-'));
    const file = join(folder, 'probe.ts');
    writeFileSync(
      file,
      'const major: number = Number(process.versions.node.split(".")[0]); console.log(major, process.argv.slice(2).join(" ")); process.exitCode = 7;',
    );
    const result = spawnSync(process.execPath, [join(ROOT, 'build/run.mjs'), relative(ROOT, file), '--port', '3'], { encoding: 'utf8' });
    rmSync(folder, { recursive: true });
    expect(result.stdout).toMatch(/^2[4-9] --port 3\n$/);
    expect(result.status).toBe(7);
  });
});

const file = (status: string, ...tests: string[]): object => ({
  name: 'a.test.ts',
  status,
  assertionResults: tests.map((result) => ({ status: result, fullName: `is ${result}` })),
});

describe('the count of tests', () => {
  test('is the true one', () => {
    expect(countTests({ testResults: [file('failed', 'passed', 'failed'), file('passed', 'passed')] }, 1)).toEqual({
      passed: 2,
      failed: 1,
      reasons: [],
    });
  });

  test('takes a skipped or unfinished test for a failure and names it', () => {
    const { passed, failed, reasons } = countTests({ testResults: [file('passed', 'passed', 'skipped', 'todo', 'pending')] }, 0);
    expect({ passed, failed }).toEqual({ passed: 1, failed: 3 });
    expect(reasons).toHaveLength(3);
    expect(reasons[0]).toContain('a.test.ts > is skipped');
  });

  test('takes a file that cannot be loaded, a missing report and an error outside the tests for one failure each', () => {
    expect(countTests({ testResults: [file('failed'), file('passed', 'passed')] }, 1)).toMatchObject({ passed: 1, failed: 1 });
    expect(countTests(null, 1)).toMatchObject({ passed: 0, failed: 1 });
    expect(countTests({ testResults: [file('passed', 'passed')] }, 1)).toMatchObject({ passed: 1, failed: 1 });
  });
});
