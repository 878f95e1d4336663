// Owns the checklist of a running server: gathers evidence when asked, carries out mends, holds the drill.
import type { ChecklistAnswer, CheckPoint, DrillNow, MendAnswer } from '../contract.ts';
import { EngineError } from '../errors.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { ChecklistControl, ProbeDoor } from './checklist-control.ts';
import type { Drills } from './drill/drills.ts';
import { decideMend, evaluate } from './evaluate.ts';
import { gather, type Sources } from './gather.ts';
import type { Mend } from './judge.ts';
import { sizingAdvice } from './right-sizing.ts';

export interface ChecklistOptions {
  readonly sources: Omit<Sources, 'drill' | 'canLoadTest'>;
  readonly ledger: Pick<Ledger, 'changeSettings'>;
  readonly drills: Drills;
  /** Starts a load test at twice the recorded peak; null: there is no such test here. */
  readonly startLoadTest: ((door: ProbeDoor) => Promise<void>) | null;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export class Checklist implements ChecklistControl {
  readonly #options: ChecklistOptions;
  readonly #sources: Sources;

  constructor(options: ChecklistOptions) {
    this.#options = options;
    this.#sources = {
      ...options.sources,
      canLoadTest: options.startLoadTest !== null,
      drill: () => options.drills.now().reports[0] ?? null,
    };
  }

  async read(): Promise<ChecklistAnswer> {
    const evidence = await gather(this.#sources, this.#options.now());
    return { atMs: evidence.atMs, items: evaluate(evidence), advice: sizingAdvice(evidence), drill: this.#options.drills.now() };
  }

  async mend(point: CheckPoint, door: ProbeDoor): Promise<MendAnswer> {
    const mend = decideMend(point, await gather(this.#sources, this.#options.now()));
    if (mend === null) throw new EngineError('invalid_request', `Nothing that one click does would mend ${point} now.`, { param: 'point' });
    return this.#carryOut(mend, door);
  }

  drill(door: ProbeDoor, force: boolean): DrillNow {
    this.#options.drills.start(door, force);
    return this.#options.drills.now();
  }

  async #carryOut(mend: Mend, door: ProbeDoor): Promise<MendAnswer> {
    const { ledger, startLoadTest } = this.#options;
    if (mend.kind === 'settings') {
      await ledger.changeSettings(mend.patch);
      return { done: mend.done, undo: { ...mend.undo }, checklist: await this.read() };
    }
    if (mend.kind === 'drill') {
      this.drill(door, false);
      return { done: 'The drill has begun.', undo: null, checklist: await this.read() };
    }
    if (startLoadTest === null) throw new EngineError('invalid_request', 'This server has no load test.', { param: 'point' });
    await startLoadTest(door);
    return { done: 'The load test has begun; the Load test screen shows how far it is.', undo: null, checklist: await this.read() };
  }
}
