// Owns what follows from one request record alone: its end, its money, and the words that stand for what is absent. Pure.
import type { RequestRow } from '../../contract.ts';
import type { RequestRecord } from '../ledger.ts';

/** What groups of costs are called when a request has no model or no key. */
export const NO_MODEL = '(none)';
export const NO_KEY = '(no key)';

/** History counts a request in the step in which it ended: only then is it known what it cost. Whole ms. */
export const endOf = ({ atMs, totalMs }: RequestRecord): number => Math.round(atMs) + Math.round(totalMs);

/** Energy, hardware and upstream together. */
export const costOf = ({ energyUsd, hardwareUsd, upstreamUsd }: RequestRecord | RequestRow): number =>
  energyUsd + hardwareUsd + upstreamUsd;

/** Cancelled requests are nobody's fault and no error. */
export const isError = ({ outcome }: RequestRecord): boolean => outcome === 'error';

/** Answers that were not computed for this request. */
export const isCacheHit = ({ cache }: RequestRecord): boolean => cache === 'hit' || cache === 'semantic' || cache === 'coalesced';
