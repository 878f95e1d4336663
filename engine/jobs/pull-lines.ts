// Owns what the lines of a job's command with `--json` mean, whoever started it.
// Knows nothing about processes.

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

/** Characters of other output that are kept. */
const MOST_TEXT = 8192;
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

/** Collects what a pull says; each line of progress is told at once. */
export class PullOutput {
  readonly #onProgress: (progress: PullProgress) => void;
  #stdout = '';
  #stderr = '';

  constructor(onProgress: (progress: PullProgress) => void) {
    this.#onProgress = onProgress;
  }

  add(stream: 'stdout' | 'stderr', text: string): void {
    if (stream === 'stdout') this.#stdout += text;
    else this.#stderr = this.#withoutProgress(this.#stderr + text);
  }

  /** How it went, once it has ended. */
  outcome(code: number | null, signal: NodeJS.Signals | null): PullOutcome {
    return parseOutcome({ code, signal, stdout: this.#stdout, stderr: this.#stderr });
  }

  /** What it says besides may explain a failure. */
  #withoutProgress(text: string): string {
    const lines = text.split('\n');
    const others = lines.slice(0, -1).filter((line) => {
      const progress = parseProgress(line);
      if (progress !== null) this.#onProgress(progress);
      return progress === null;
    });
    return [...others, lines.at(-1)].join('\n').slice(-MOST_TEXT);
  }
}

/** How a pull went, from all that its process has said. */
export function parseOutcome({ code, signal, stdout, stderr }: EndedProcess): PullOutcome {
  if (code === 0) return { kind: 'done', result: describeResult(stdout) };
  if (code === INTERRUPTED) return { kind: 'interrupted' };
  const lines = stderr.split('\n').filter((line) => line.trim() !== '');
  const error = lines.map((line) => fieldOf(line, 'error')).findLast((value) => value !== undefined);
  const message = typeof error === 'object' && error !== null && 'message' in error ? error.message : undefined;
  if (typeof message === 'string') return { kind: 'failed', reason: message };
  const how = signal === null ? `exit code ${String(code)}` : `signal ${signal}`;
  return { kind: 'failed', reason: `The command ended with ${how}${lines.length === 0 ? '.' : `: ${lines.at(-1) ?? ''}`}` };
}

interface Variant {
  readonly name?: unknown;
  readonly sizeBytes?: unknown;
  readonly weightsFile?: unknown;
}

function describeResult(stdout: string): string {
  const line = stdout.trim().split('\n').at(-1) ?? '';
  return typeof fieldOf(line, 'model') === 'string' ? describeMeasured(line) : describeInstalled(line);
}

interface MeasuredVariant {
  readonly measured?: { readonly atMs?: unknown } | null;
  readonly gate?: { readonly reason?: unknown };
}

/** What the gate says of the variant that was measured last, from the table on stdout. */
function describeMeasured(line: string): string {
  const variants = fieldOf(line, 'variants');
  const atMs = ({ measured }: MeasuredVariant): number => Number(measured?.atMs ?? 0);
  const [latest] = Array.isArray(variants) ? variants.toSorted((a: MeasuredVariant, b: MeasuredVariant) => atMs(b) - atMs(a)) : [];
  const reason = (latest as MeasuredVariant | undefined)?.gate?.reason;
  return typeof reason === 'string' ? `Measured: ${reason}` : 'Measured.';
}

/** `Installed smollm2-135m-instruct:int8 (145 MB)`, from the line on stdout. */
function describeInstalled(line: string): string {
  const id = fieldOf(line, 'id');
  const variants = fieldOf(line, 'variants');
  if (typeof id !== 'string' || !Array.isArray(variants)) return 'Installed.';
  // Of variants that share their weights the first speaks for all.
  const own = variants.filter(
    ({ weightsFile }: Variant, at) => variants.findIndex((other: Variant) => other.weightsFile === weightsFile) === at,
  );
  const names = own.map(({ name, sizeBytes }: Variant) => `${id}:${String(name)} (${Math.round(Number(sizeBytes) / 1e6)} MB)`);
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
