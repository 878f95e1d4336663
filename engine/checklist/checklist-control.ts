// Owns the interface through which the console and the command ask for the checklist. Types only.
import type { ChecklistAnswer, CheckPoint, DrillNow, MendAnswer } from '../contract.ts';

/** Where probes go, as the caller came: they meet what its requests would meet. */
export interface ProbeDoor {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface ChecklistControl {
  read(): Promise<ChecklistAnswer>;
  /** Does what mends a point. @throws EngineError `invalid_request` where one click does not */
  mend(point: CheckPoint, door: ProbeDoor): Promise<MendAnswer>;
  /** Starts a drill. @throws EngineError `invalid_request` while one runs, while people are served unless `force`, without a model */
  drill(door: ProbeDoor, force: boolean): DrillNow;
}
