// What others may ask of routing beyond answers, and tell it: for the console, feedback and tests with fakes. Types only.
import type { CanaryControl } from './canary/canary-control.ts';
import type { Banner, QualityNow, RouteDecision, RouterNow, StatedAlert, WhatIfAnswer, WhatIfAsk } from '../contract.ts';

export interface RouterControl {
  readonly canaries: CanaryControl;
  now(): RouterNow;
  /** Undefined when the request was not routed, or is no longer kept. */
  decision(requestId: string): RouteDecision | undefined;
  whatIf(ask: WhatIfAsk): WhatIfAnswer;
  /** Null forgets the key. @throws EngineError `not_found` for an upstream that is not set; `insufficient_storage` */
  setUpstreamKey(upstream: string, key: string | null): void;
  /** `score`: 0 to 1. False for a request whose answer is not known (any more). */
  feedback(requestId: string, score: number): boolean;
  quality(): QualityNow;
  /** No request reaches the upstream until the returned function is called: for drills. */
  cutUpstream(upstream: string): () => void;
  /** Routes that were taken out. */
  banners(): readonly Banner[];
  /** The same, to be told to whoever hears of alerts. */
  alerts(): readonly StatedAlert[];
}
