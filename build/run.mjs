// Runs a TypeScript file of this checkout with the right Node: node build/run.mjs test/bench/main.ts [options]
import { join } from 'node:path';
import { bootstrap, fail, ROOT, runNode } from './bootstrap.mjs';

const [file, ...args] = process.argv.slice(2);
if (file === undefined) fail('Name a file: node build/run.mjs FILE [options]');
process.exitCode = await runNode(bootstrap(), [join(ROOT, file), ...args]);
