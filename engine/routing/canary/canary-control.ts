// What others may ask of canaries: for the console and tests with fakes. Types only.
import type { CanaryNow } from '../../contract.ts';

export interface CanaryWish {
  readonly model: string;
  readonly variant: string;
  /** The variant that answers the others. */
  readonly baseline: string;
  /** Of conversations, 0 to 1. */
  readonly share: number;
  /** Answers before it can be promoted. */
  readonly leastRequests: number;
  /** What was measured of its quality, in words. */
  readonly quality: string;
}

export interface CanaryControl {
  of(model: string): CanaryNow;
  /** @throws EngineError `invalid_request` when one of the model runs, or the variant answers already */
  start(wish: CanaryWish): void;
  /** @throws EngineError `not_found` when none runs */
  stop(model: string): void;
}
