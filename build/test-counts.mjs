// Decides what a run of vitest counts as, from its JSON report and its exit code. Pure.

/**
 * `{ passed, failed, reasons }`. A skipped test counts as failed: whatever the machine lacks is installed or the run has failed.
 * A file that could not be loaded counts as one failure, and so does an error outside every test.
 */
export function countTests(report, exitCode) {
  if (report === null) return { passed: 0, failed: 1, reasons: ['The test run ended without a result.'] };
  const files = report.testResults ?? [];
  const tests = files.flatMap((file) =>
    file.assertionResults.map((test) => ({ name: `${file.name} > ${test.fullName}`, status: test.status })),
  );
  const passed = tests.filter((test) => test.status === 'passed').length;
  const skipped = tests.filter((test) => test.status !== 'passed' && test.status !== 'failed');
  const broken = files.filter((file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'));
  const reasons = [
    ...skipped.map(({ name }) => `skipped, which counts as failed: ${name}`),
    ...broken.map(({ name }) => `could not be run: ${name}`),
  ];
  const failed = tests.length - passed + broken.length;
  if (failed === 0 && exitCode !== 0)
    return { passed, failed: 1, reasons: [`vitest ended with exit code ${exitCode}, an error outside the tests.`] };
  return { passed, failed, reasons };
}
