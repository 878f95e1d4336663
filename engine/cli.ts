#!/usr/bin/env node
// The `millrace` command's first file: switches the compile cache on before anything large is imported.
import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/millrace', import.meta.url)));
const { runCli } = await import('./cli/program.ts');
process.exitCode = await runCli(process.argv.slice(2));
