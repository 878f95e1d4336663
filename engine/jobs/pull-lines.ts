// Owns what the lines of `millrace pull --json` mean. Pure.
export interface PullProgress {
  readonly step: string;
  readonly done: number;
  readonly total: number | null;
  readonly unit: 'bytes' | 'steps';
  readonly perSecond: number | null;
}

export type PullOutcome =
  | { readonly kind: 'done'; readonly result: string }
  | { readonly kind: 'interrupted' }
  | { readonly kind: 'failed'; readonly reason: string };

export interface EndedProcess {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Exit code of a command that was interrupted. */
const INTERRUPTED = 130;

/** The progress that a line tells of; null for other lines. */
export function parseProgress(line: string): PullProgress | null {
  const progress = fieldOf(line, 'progress');
  if (typeof progress !== 'object' || progress === null) return null;
  const { step, done, total, unit, perSecond } = progress as Record<string, unknown>;
  if (typeof step !== 'string' || typeof done !== 'number' || (unit !== 'bytes' && unit !== 'steps')) return null;
  return { step, done, total: numberOrNull(total), unit, perSecond: numberOrNull(perSecond) };
}

/** How a pull went, from all that its process has said. */
export function parseOutcome({ code, signal, stdout, stderr }: EndedProcess): PullOutcome {
  if (code === 0) return { kind: 'done', result: describeInstalled(stdout) };
  if (code === INTERRUPTED) return { kind: 'interrupted' };
  const lines = stderr.split('\n').filter((line) => line.trim() !== '');
  const error = lines.map((line) => fieldOf(line, 'error')).findLast((value) => value !== undefined);
  const message = typeof error === 'object' && error !== null && 'message' in error ? error.message : undefined;
  if (typeof message === 'string') return { kind: 'failed', reason: message };
  const how = signal === null ? `exit code ${String(code)}` : `signal ${signal}`;
  return { kind: 'failed', reason: `The pull ended with ${how}${lines.length === 0 ? '.' : `: ${lines.at(-1) ?? ''}`}` };
}

/** `Installed smollm2-135m-instruct:int8 (145 MB)`, from the line on stdout. */
function describeInstalled(stdout: string): string {
  const line = stdout.trim().split('\n').at(-1) ?? '';
  const id = fieldOf(line, 'id');
  const variants = fieldOf(line, 'variants');
  if (typeof id !== 'string' || !Array.isArray(variants)) return 'Installed.';
  const names = variants.map(({ name, sizeBytes }: { name?: unknown; sizeBytes?: unknown }) => {
    return `${id}:${String(name)} (${Math.round(Number(sizeBytes) / 1e6)} MB)`;
  });
  return `Installed ${names.join(', ')}`;
}

/** A field of a line that is a JSON object; undefined when it is none, or has no such field. */
function fieldOf(line: string, field: string): unknown {
  if (!line.startsWith('{')) return undefined;
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[field] : undefined;
  } catch {
    // Something else that a library wrote.
    return undefined;
  }
}

function numberOrNull(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}
