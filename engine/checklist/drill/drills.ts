// Owns drills: whether one may start, the one under way, and the reports of the last ones in their file.
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { DrillNow, DrillReport, ModelStatus } from '../../contract.ts';
import { EngineError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import type { ProbeDoor } from '../checklist-control.ts';
import type { Probe } from './probe.ts';
import { runDrill, type Faults } from './run-drill.ts';

export interface DrillsOptions {
  /** Where reports are kept. */
  readonly file: string;
  readonly log: Log;
  readonly models: () => readonly ModelStatus[];
  /** Interactive requests under way. */
  readonly foreground: () => number;
  readonly faults: Faults;
  readonly probe: Probe;
  readonly now: () => number;
  readonly clock: () => number;
}

const MOST_REPORTS = 20;

export class Drills {
  readonly #options: DrillsOptions;
  #reports: readonly DrillReport[];
  #running: DrillNow['running'] = null;
  #ended: Promise<void> = Promise.resolve();

  constructor(options: DrillsOptions) {
    this.#options = options;
    this.#reports = readReports(options);
  }

  now(): DrillNow {
    return { running: this.#running, refusal: this.#running === null ? this.#refusal() : null, reports: this.#reports };
  }

  /** @throws EngineError `invalid_request` while one runs, without a model that writes text, or while people are served unless `force` */
  start(door: ProbeDoor, force: boolean): void {
    if (this.#running !== null) throw new EngineError('invalid_request', 'A drill is under way.');
    const model = drilled(this.#options.models());
    if (model === null) throw new EngineError('invalid_request', 'There is no model that writes text, so nothing to drill.');
    const refusal = this.#refusal();
    if (refusal !== null && !force) throw new EngineError('invalid_request', refusal, { param: 'force' });
    this.#running = { step: 'baseline', startedMs: this.#options.now() };
    this.#ended = this.#run(door, model, refusal !== null);
  }

  /** Resolves when no drill is under way. */
  ended(): Promise<void> {
    return this.#ended;
  }

  #refusal(): string | null {
    const count = this.#options.foreground();
    if (count === 0) return null;
    return `${count === 1 ? 'A request is' : `${count} requests are`} being answered: a drill would break into them. Wait, or force it.`;
  }

  async #run(door: ProbeDoor, model: string, forced: boolean): Promise<void> {
    const { faults, probe, now, clock, log } = this.#options;
    const startedMs = now();
    try {
      const onStep = (step: NonNullable<DrillNow['running']>['step']): void => void (this.#running = { step, startedMs });
      this.#keep(await runDrill({ door, model, forced, faults, probe, onStep, now, clock }));
    } catch (err) {
      log.error({ err }, 'a drill ended early');
    } finally {
      this.#running = null;
    }
  }

  #keep(report: DrillReport): void {
    const { file, log } = this.#options;
    this.#reports = [report, ...this.#reports].slice(0, MOST_REPORTS);
    log.info({ passed: report.passed, model: report.model }, 'a drill has ended');
    writeFileSync(`${file}.next`, JSON.stringify(this.#reports), { flush: true });
    renameSync(`${file}.next`, file);
  }
}

/** The smallest model that writes text; one that runs already goes before. */
function drilled(models: readonly ModelStatus[]): string | null {
  const writers = models.filter(({ use }) => use === 'text').toSorted((a, b) => a.parameterCount - b.parameterCount);
  return (writers.find(({ state }) => state === 'ready') ?? writers[0])?.id ?? null;
}

/** A damaged file is no memory. */
function readReports({ file, log }: DrillsOptions): readonly DrillReport[] {
  if (!existsSync(file)) return [];
  try {
    const value: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return Array.isArray(value) ? value.filter(isReport) : [];
  } catch (err) {
    log.warn({ err }, 'the reports of earlier drills cannot be read');
    return [];
  }
}

function isReport(value: unknown): value is DrillReport {
  return typeof value === 'object' && value !== null && 'steps' in value && Array.isArray(value.steps) && 'endedMs' in value;
}
