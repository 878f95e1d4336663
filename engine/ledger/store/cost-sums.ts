// Owns the shape in which the store hands summed money over, before shares and comparisons are made of it.
import type { CostGroup, CostRow, TimeRange } from '../../contract.ts';

export interface CostSums {
  readonly range: TimeRange;
  readonly by: CostGroup;
  /** Costliest first; days in their order. */
  readonly rows: readonly CostRow[];
  readonly idleUsd: number;
}
