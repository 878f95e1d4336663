// Owns the exit codes of the command and how a failure is told to a person or to a script.
import { EngineError, toWireError } from '../errors.ts';
import { LockHeldError } from '../instance-lock.ts';

export const EXIT = { ok: 0, failed: 1, usage: 2, busy: 3, interrupted: 130 } as const;

/** Writes the failure to stderr, as one JSON object when `json`, and returns the exit code. */
export function reportFailure(thrown: unknown, json: boolean): number {
  const error =
    thrown instanceof LockHeldError ? { code: 'already_running', message: thrown.message, pid: thrown.owner.pid } : toWireError(thrown);
  process.stderr.write(json ? `${JSON.stringify({ error })}\n` : `millrace: ${error.message}\n`);
  if (!json && !isExpected(thrown) && thrown instanceof Error) process.stderr.write(`${thrown.stack ?? ''}\n`);
  return exitCodeOf(thrown);
}

function exitCodeOf(thrown: unknown): number {
  if (thrown instanceof LockHeldError) return EXIT.busy;
  if (thrown instanceof Error && thrown.name === 'AbortError') return EXIT.interrupted;
  return thrown instanceof EngineError && thrown.code === 'invalid_request' ? EXIT.usage : EXIT.failed;
}

/** Failures of the caller, the network or the machine need no stack; others are ours. */
function isExpected(thrown: unknown): boolean {
  const isSystemError = thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string';
  return thrown instanceof EngineError || thrown instanceof LockHeldError || isSystemError;
}
