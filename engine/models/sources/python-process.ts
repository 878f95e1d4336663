// Owns finding a Python with pip and running it without a shell.
// Knows nothing about models.
import { spawn } from 'node:child_process';
import { EngineError } from '../../errors.ts';

const CANDIDATES = process.platform === 'win32' ? ['py', 'python', 'python3'] : ['python3', 'python'];
const KEPT_OUTPUT = 4_000;

interface PythonRun {
  readonly tempDir: string;
  readonly onOutput: (text: string) => void;
  readonly signal: AbortSignal | undefined;
}

/** The first Python whose pip answers. Throws `source_unreachable`. */
export async function findPython(): Promise<string> {
  for (const command of CANDIDATES) {
    if ((await exitOf(command, ['-m', 'pip', '--version'], { env: process.env, onOutput: () => {}, signal: undefined })) === 0)
      return command;
  }
  throw new EngineError(
    'source_unreachable',
    'There is no Python with pip on this machine; install one (Debian: apt install python3-pip).',
  );
}

/** Throws `source_unreachable` with the last of Python's output when it fails; the abort reason when the signal fires. */
export async function runPython(command: string, args: readonly string[], run: PythonRun): Promise<void> {
  const env = {
    ...process.env,
    TMPDIR: run.tempDir,
    TEMP: run.tempDir,
    TMP: run.tempDir,
    PIP_DISABLE_PIP_VERSION_CHECK: '1',
    PIP_NO_INPUT: '1',
  };
  let tail = '';
  const keep = (text: string): void => {
    tail = (tail + text).slice(-KEPT_OUTPUT);
    run.onOutput(text);
  };
  const status = await exitOf(command, args, { env, onOutput: keep, signal: run.signal });
  run.signal?.throwIfAborted();
  if (status !== 0) throw new EngineError('source_unreachable', `python ${args.slice(0, 3).join(' ')} failed: ${lastError(tail)}`);
}

interface Spawned {
  readonly env: NodeJS.ProcessEnv;
  readonly onOutput: (text: string) => void;
  readonly signal: AbortSignal | undefined;
}

/** Exit status; null when the command could not be started or was killed. */
function exitOf(command: string, args: readonly string[], { env, onOutput, signal }: Spawned): Promise<number | null> {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      windowsHide: true,
      ...(signal === undefined ? {} : { signal }),
    });
    child.stdout.setEncoding('utf8').on('data', onOutput);
    child.stderr.setEncoding('utf8').on('data', onOutput);
    child.on('error', () => resolve(null));
    child.on('close', (status) => resolve(status));
  });
}

function lastError(output: string): string {
  const lines = output
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  return lines.findLast((line) => line.startsWith('ERROR')) ?? lines.at(-1) ?? 'no output';
}
