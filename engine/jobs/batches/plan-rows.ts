// Decides how many rows of batches run now: what interactive work, the user's conditions and the disk leave. Pure.
import type { Permission } from './permission.ts';

export interface RowsView {
  /** Interactive requests under way. */
  readonly foreground: number;
  /** Since the last of them ended. */
  readonly quietMs: number;
  readonly permission: Permission;
  /** Why results cannot be written; null: they can. */
  readonly storageFault: string | null;
  /** Rows that wait, and rows that run. */
  readonly pending: number;
  readonly inFlight: number;
  /** Sequences that the model of the next row computes together; null while unknown. */
  readonly slots: number | null;
  /** As the user limits them; null: not at all. */
  readonly maxRows: number | null;
}

export type RowsPlan =
  | { readonly kind: 'idle'; readonly reason: string }
  /** So many may be under way. */
  | { readonly kind: 'run'; readonly rows: number; readonly reason: string }
  /** None starts; `isPreempted`: those under way stop at once and run again later. */
  | { readonly kind: 'wait'; readonly isPreempted: boolean; readonly reason: string };

/** People type their next message; a batch that starts between two requests of a client would be in the way of the second. */
export const QUIET_MS = 300;
/** While it is unknown how many a model computes together. */
const UNKNOWN_SLOTS = 8;
/** Rows at hand when a sequence ends, so that no slot stays empty; their share of the slots. */
const SPARE_SHARE = 0.25;

export function planRows(view: RowsView): RowsPlan {
  const { foreground, quietMs, permission, storageFault, pending, inFlight } = view;
  if (pending + inFlight === 0) return { kind: 'idle', reason: 'No rows wait.' };
  if (foreground > 0) return { kind: 'wait', isPreempted: true, reason: `${requests(foreground)} first.` };
  if (permission.kind === 'refused') return { kind: 'wait', isPreempted: true, reason: permission.reason };
  if (storageFault !== null) return { kind: 'wait', isPreempted: false, reason: storageFault };
  if (quietMs < QUIET_MS) return { kind: 'wait', isPreempted: false, reason: 'An interactive request has just ended; another may follow.' };
  const rows = rowsAtOnce(view);
  return { kind: 'run', rows, reason: `Nobody else needs the machine: up to ${rows} rows at once.` };
}

function rowsAtOnce({ slots, maxRows }: RowsView): number {
  const known = slots ?? UNKNOWN_SLOTS;
  return Math.max(1, Math.min(known + Math.ceil(known * SPARE_SHARE), maxRows ?? Infinity));
}

function requests(count: number): string {
  return count === 1 ? 'An interactive request goes' : `${count} interactive requests go`;
}
