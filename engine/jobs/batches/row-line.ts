// Decides what becomes of a row that was answered, and owns the lines of the files of results, as OpenAI's clients read them. Pure.
import type { RowAnswer } from './batch-control.ts';

export interface RowName {
  readonly batch: string;
  readonly line: number;
  readonly customId: string;
}

export type RowVerdict =
  | { readonly kind: 'output' | 'error'; readonly text: string }
  /** It runs again; not before `afterMs`. `counts`: only so often. */
  | { readonly kind: 'again'; readonly afterMs: number; readonly reason: string; readonly counts: boolean };

/** Refusals that say nothing about the row; they pass by themselves. */
const PASSING: ReadonlySet<string> = new Set(['queue_full', 'rate_limit_exceeded', 'draining', 'paused', 'access_unavailable']);
/** Failures that another try may not meet. */
const PERHAPS_PASSING: ReadonlySet<string> = new Set([
  'runner_died',
  'model_load_failed',
  'insufficient_memory',
  'deadline_exceeded',
  'internal',
]);
const MOST_TRIES = 3;
const RETRY_MS = 2_000;

/** What an answer means for its row, which has been tried `tries` times, this one included. */
export function judgeAnswer(name: RowName, { status, body }: RowAnswer, requestId: string, tries: number): RowVerdict {
  const isAnswered = status >= 200 && status < 300;
  const code = isAnswered ? '' : errorCode(body);
  if (PASSING.has(code)) return { kind: 'again', afterMs: RETRY_MS, reason: code, counts: false };
  if (PERHAPS_PASSING.has(code) && tries < MOST_TRIES) return { kind: 'again', afterMs: RETRY_MS, reason: code, counts: true };
  const response = `{"status_code":${status},"request_id":${JSON.stringify(requestId)},"body":${body}}`;
  return { kind: isAnswered ? 'output' : 'error', text: lineOf(name, response, null) };
}

export type UnrunReason = 'expired' | 'cancelled' | 'lost';

const UNRUN: Readonly<Record<UnrunReason, { readonly code: string; readonly message: string }>> = {
  expired: { code: 'batch_expired', message: 'This request could not be run before the completion window ended.' },
  cancelled: { code: 'batch_cancelled', message: 'The batch was cancelled before this request was run.' },
  lost: { code: 'input_file_lost', message: 'The line of this request could not be read from the input file any more.' },
};

/** The line of a row that never ran. */
export function unrunLine(name: RowName, reason: UnrunReason): string {
  return lineOf(name, 'null', UNRUN[reason]);
}

export function outputFileName(input: string): string {
  return `${withoutExtension(input)}_output.jsonl`;
}

export function errorFileName(input: string): string {
  return `${withoutExtension(input)}_error.jsonl`;
}

/** `response` is JSON. */
function lineOf({ batch, line, customId }: RowName, response: string, error: object | null): string {
  const id = `batch_req_${batch.replace(/^batch_/, '')}_${line}`;
  return `{"id":"${id}","custom_id":${JSON.stringify(customId)},"response":${response},"error":${JSON.stringify(error)}}`;
}

function errorCode(body: string): string {
  try {
    const parsed = JSON.parse(body) as { readonly error?: { readonly code?: unknown } } | null;
    return typeof parsed?.error?.code === 'string' ? parsed.error.code : '';
  } catch {
    return '';
  }
}

const withoutExtension = (name: string): string => name.replace(/\.[A-Za-z0-9]{1,8}$/, '');
