#!/usr/bin/env node
// The `millrace` command of a checkout: the right Node first, then engine/cli.ts.
import { join } from 'node:path';
import { continueWithNode, ROOT } from './bootstrap.mjs';

const entry = join(ROOT, 'engine', 'cli.ts');
await continueWithNode(entry, process.argv.slice(2));
await import('../engine/cli.ts');
