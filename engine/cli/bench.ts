// `millrace bench`: hands over to the benchmark, which lives with the tests and is not part of a packaged appliance.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { EngineError } from '../errors.ts';

const ENTRY = fileURLToPath(new URL('../../test/bench/main.ts', import.meta.url));

/** The benchmark's exit code. */
export async function bench(options: readonly string[]): Promise<number> {
  if (!existsSync(ENTRY)) throw new EngineError('not_found', 'The benchmark comes with the source tree, not with this installation.');
  const child = spawn(process.execPath, [ENTRY, ...options], { stdio: 'inherit' });
  const [code] = (await once(child, 'exit')) as [number | null];
  return code ?? 1;
}
