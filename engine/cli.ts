#!/usr/bin/env node
// The `millrace` command's first file: switches the compile cache on before anything large is imported, and lets a model's
// process boot while this one is still reading its command line.
import { keepCompiled } from './compile-cache.ts';

keepCompiled();
const args = process.argv.slice(2);
const { forkRunnerAhead, RUNNER_ENTRY } = await import('./fleet/runner-process.ts');
const runners = args[0] === 'serve' ? forkRunnerAhead(RUNNER_ENTRY) : null;
const { runCli } = await import('./cli/program.ts');
process.exitCode = await runCli(args, runners);
