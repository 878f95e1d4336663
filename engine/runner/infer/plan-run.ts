// Decides which waiting requests share the next run: those of equal inputs, along the first dimension, callers in turn.
// Pure: no clock, no tensors' contents.
import type { Tensor } from '../../models/infer/tensors.ts';

export interface WaitingInfer {
  readonly id: number;
  readonly caller: string;
  readonly deadlineAtMs: number;
  readonly inputs: readonly Pick<Tensor, 'name' | 'datatype' | 'shape'>[];
  readonly outputs: readonly string[];
}

export interface InferLimits {
  /** Rows of a shared run at most; a request of more runs alone. */
  readonly maxRows: number;
  /** Whether requests may share a run at all. */
  readonly canShare: boolean;
}

export interface InferRun<T extends WaitingInfer> {
  /** Whose time is over: not computed. */
  readonly expired: readonly T[];
  /** Empty when nothing is left. */
  readonly chosen: readonly T[];
}

/** `waiting` in the order of arrival. */
export function planInferRun<T extends WaitingInfer>(
  waiting: readonly T[],
  nowMs: number,
  { maxRows, canShare }: InferLimits,
): InferRun<T> {
  const expired = waiting.filter(({ deadlineAtMs }) => deadlineAtMs <= nowMs);
  const [first, ...others] = inTurn(waiting.filter(({ deadlineAtMs }) => deadlineAtMs > nowMs));
  if (first === undefined) return { expired, chosen: [] };
  const chosen = [first];
  let rows = rowsOf(first);
  for (const other of canShare && areRowsEqual(first) ? others : []) {
    if (rows + rowsOf(other) > maxRows || !areRowsEqual(other) || formOf(other) !== formOf(first)) continue;
    chosen.push(other);
    rows += rowsOf(other);
  }
  return { expired, chosen };
}

/** Size of the first dimension of its inputs. */
export function rowsOf({ inputs }: Pick<WaitingInfer, 'inputs'>): number {
  return inputs[0]?.shape[0] ?? 1;
}

/** Each caller's first, then each one's second …: nobody waits for another's many. */
function inTurn<T extends WaitingInfer>(waiting: readonly T[]): readonly T[] {
  const counts = new Map<string, number>();
  const ranked = waiting.map((request) => {
    const rank = counts.get(request.caller) ?? 0;
    counts.set(request.caller, rank + 1);
    return { request, rank };
  });
  return ranked.toSorted((left, right) => left.rank - right.rank).map(({ request }) => request);
}

/** An input that is shared by all rows cannot be put behind another's. */
function areRowsEqual(request: WaitingInfer): boolean {
  return rowsOf(request) > 0 && request.inputs.every(({ shape }) => shape[0] === rowsOf(request));
}

/** Equal for requests whose rows fit behind one another. */
function formOf({ inputs, outputs }: WaitingInfer): string {
  return JSON.stringify([inputs.map(({ name, datatype, shape }) => [name, datatype, ...shape.slice(1)]), outputs]);
}
