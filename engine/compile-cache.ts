// Owns where compiled modules are kept between starts, for this process and for the threads and processes it starts.
// Knows nothing about modules.
import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

/** Call before anything large is imported. A thread whose first file is found compiled needs 10 MB less: it loads no type stripping. */
export function keepCompiled(): void {
  const folder = fileURLToPath(new URL('../node_modules/.cache/millrace', import.meta.url));
  enableCompileCache(folder);
  process.env['NODE_COMPILE_CACHE'] ??= folder;
}
