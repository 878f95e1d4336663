// Owns the Python of the client tests: a virtual environment in the test cache with the pinned packages of requirements.txt.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { cachedFolder } from '../cache.ts';

const run = promisify(execFile);
const REQUIREMENTS = fileURLToPath(new URL('requirements.txt', import.meta.url));
const BIN = process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python';

/** Path of the interpreter that has the clients; makes the environment when it is missing. */
export async function clientsPython(): Promise<string> {
  const digest = createHash('sha256')
    .update(await readFile(REQUIREMENTS))
    .digest('hex');
  const folder = await cachedFolder(`python-${digest.slice(0, 12)}`, async (target) => {
    await run('python3', ['-m', 'venv', target]);
    await run(join(target, BIN), ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', REQUIREMENTS]);
  });
  return join(folder, BIN);
}
