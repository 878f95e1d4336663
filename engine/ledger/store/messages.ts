// Owns what passes between the ledger and its two threads. Types only.
import type { AlertEvent, CostGroup, RequestPage, RequestRow, Retention, SeriesAnswer, TimeRange } from '../../contract.ts';
import type { ExportQuery, RequestQuery, RequestRecord, Sample, SeriesQuery } from '../ledger.ts';
import type { CostTotals } from './costs.ts';
import type { Fault } from './fault.ts';

/** What goes into one transaction. */
export interface WriteBatch {
  /** A batch that is sent again because its answer was lost is written once. */
  readonly id: string;
  readonly requests: readonly RequestRecord[];
  readonly samples: readonly Sample[];
  readonly alerts: readonly AlertEvent[];
}

export type WriteQuestion =
  /** Opens the file if it is not open; a damaged one is set aside. */
  | { readonly kind: 'open'; readonly nowMs: number }
  | { readonly kind: 'write'; readonly batch: WriteBatch }
  /** Deletes a slice of what is too old. */
  | { readonly kind: 'maintain'; readonly nowMs: number; readonly retention: Retention }
  /** Moves the file aside and begins a new one; the reader must have let go of it. */
  | { readonly kind: 'replace'; readonly nowMs: number }
  | { readonly kind: 'close' };

export type WriteAnswer =
  | { readonly kind: 'done'; readonly setAside: string | null; readonly more: boolean }
  | { readonly kind: 'fault'; readonly fault: Fault };

/** Place in an export: the table's own key, opaque to the asker. */
export type ExportPlace = readonly (number | string)[];

export type ReadQuestion =
  | { readonly kind: 'series'; readonly query: SeriesQuery }
  | { readonly kind: 'requests'; readonly query: RequestQuery }
  | { readonly kind: 'request'; readonly rowId: number }
  | { readonly kind: 'costs'; readonly range: TimeRange; readonly by: CostGroup }
  | { readonly kind: 'alerts'; readonly limit: number }
  | { readonly kind: 'export'; readonly query: ExportQuery; readonly after: ExportPlace | null }
  /** Lets go of the file. */
  | { readonly kind: 'close' };

/** What each question is answered with. */
export interface ReadValues {
  readonly series: SeriesAnswer;
  readonly requests: RequestPage;
  readonly request: RequestRow | undefined;
  readonly costs: CostTotals;
  readonly alerts: readonly AlertEvent[];
  readonly export: ExportPiece;
  readonly close: undefined;
}

export type ReadAnswer = { readonly kind: 'done'; readonly value: unknown } | { readonly kind: 'fault'; readonly fault: Fault };

export interface ExportPiece {
  readonly text: string;
  /** Null: that was the last. */
  readonly next: ExportPlace | null;
}
