// `npm start`: set-up, page, default model, server. Options after `--` are those of `millrace serve`.
import { join } from 'node:path';
import { bootstrap, ROOT, runNode } from './bootstrap.mjs';
import { buildPage } from './page.mjs';

const node = bootstrap();
buildPage(node);
process.exitCode = await runNode(node, [join(ROOT, 'engine', 'cli.ts'), 'serve', '--ensure-default-model', ...process.argv.slice(2)]);
