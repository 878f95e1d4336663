// Owns the grades of answers: what users say, and how far stronger models agree. Decides which targets lose too much.
import type { QualityNow, TargetNow } from '../../contract.ts';
import type { Log } from '../../log.ts';
import { GradeFile, type Grade } from './grade-file.ts';
import { perQualityAdjusted, qualityOf } from './interval.ts';

export interface QualityBookOptions {
  /** Null: grades are forgotten at the end. */
  readonly path: string | null;
  readonly log: Log;
  readonly qualityBar: () => number;
  readonly now: () => number;
  /** Called when a target is taken out, and when it is let in again. */
  readonly onBarred?: (target: string, reason: string | null) => void;
}

/** Grades of one target that count; older ones are of older questions. */
const WINDOW = 400;
/** Fewer take nobody out. */
const LEAST_TO_BAR = 20;
/** After so long a target that was taken out is tried again, by what it does then. */
const BARRED_MS = 3_600_000;
const ANSWERS_KEPT = 5_000;
/** Shadow grades by which the expected loss counts as much as what was measured. */
const PRIOR_GRADES = 30;

interface Answered {
  readonly target: string;
  readonly expectedLoss: number | null;
  readonly usd: number;
  /** Nobody stronger could have answered. */
  readonly isStrongest: boolean;
}

export interface BarredTarget {
  readonly target: string;
  readonly reason: string;
  /** Of all answers, lost by this target at least; and what the bar allows. Shares, 0 to 1. */
  readonly loss: number;
  readonly allowedLoss: number;
}

interface Barred extends Omit<BarredTarget, 'target'> {
  readonly sinceMs: number;
}

export class QualityBook {
  readonly #options: QualityBookOptions;
  readonly #file: GradeFile;
  readonly #grades = new Map<string, Grade[]>();
  readonly #answered = new Map<string, Answered>();
  readonly #barred = new Map<string, Barred>();
  /** Routed requests by the target that answered. */
  readonly #routed = new Map<string, number>();
  readonly #strongest = new Set<string>();

  constructor(options: QualityBookOptions) {
    this.#options = options;
    this.#file = new GradeFile(options.path, options.log);
    for (const grade of this.#file.read()) this.#keep(grade);
  }

  /** A request was answered. `expectedLoss`: null: it was not routed. */
  answered(requestId: string, answer: Answered): void {
    this.#answered.set(requestId, answer);
    if (answer.isStrongest) this.#strongest.add(answer.target);
    else this.#strongest.delete(answer.target);
    if (answer.expectedLoss !== null) this.#routed.set(answer.target, (this.#routed.get(answer.target) ?? 0) + 1);
    if (this.#answered.size > ANSWERS_KEPT) for (const oldest of this.#answered.keys().take(1)) this.#answered.delete(oldest);
  }

  /** What a user says of an answer, 0 to 1. False for an answer that is not known (any more). */
  feedback(requestId: string, score: number): boolean {
    const answer = this.#answered.get(requestId);
    if (answer === undefined) return false;
    const { target, expectedLoss, usd } = answer;
    this.grade({ target, expectedLoss, usd, source: 'feedback', requestId, score, atMs: this.#options.now() });
    return true;
  }

  /** A second grade of the same answer from the same source replaces the first. */
  grade(grade: Grade): void {
    this.#keep(grade);
    this.#file.add(grade);
    this.#judge(grade.target);
  }

  of(target: string): Pick<TargetNow, 'quality' | 'perQualityAdjustedUsd'> {
    const grades = this.#grades.get(target) ?? [];
    const quality = qualityOf(grades.map(({ score }) => score));
    return {
      quality,
      perQualityAdjustedUsd: perQualityAdjusted(
        grades.map(({ usd }) => usd),
        quality,
      ),
    };
  }

  /** Over all routed requests since the start: what the strongest answered counts as 1, the others as their targets were graded. */
  overall(): QualityNow {
    let [weight, sum, variance, graded] = [0, 0, 0, 0];
    for (const [target, count] of this.#routed) {
      const { quality } = this.of(target);
      if (quality.kind === 'not_measured' && !this.#strongest.has(target)) continue;
      weight += count;
      sum += count * (quality.kind === 'measured' ? quality.mean : 1);
      variance += quality.kind === 'measured' ? (count * quality.plusMinus) ** 2 : 0;
      graded += quality.kind === 'measured' ? quality.graded : 0;
    }
    return graded === 0
      ? { kind: 'not_measured' }
      : { kind: 'measured', mean: sum / weight, plusMinus: Math.sqrt(variance) / weight, graded };
  }

  /** Why a target is taken out; null: it is not. */
  bars(target: string): string | null {
    const barred = this.#barred.get(target);
    if (barred === undefined) return null;
    if (this.#options.now() - barred.sinceMs < BARRED_MS) return barred.reason;
    this.#barred.delete(target);
    this.#grades.delete(target);
    this.#options.onBarred?.(target, null);
    return null;
  }

  /** Measured loss over expected loss of shadow grades, drawn towards 1 while they are few; 0.5 to 2. */
  bias(): number {
    const shadows = [...this.#grades.values()].flat().filter(({ source, expectedLoss }) => source === 'shadow' && expectedLoss !== null);
    const expected = shadows.reduce((sum, { expectedLoss }) => sum + (expectedLoss ?? 0), 0);
    if (shadows.length === 0 || expected <= 0) return 1;
    const measured = shadows.reduce((sum, { score }) => sum + 1 - score, 0);
    const prior = (PRIOR_GRADES * expected) / shadows.length;
    return Math.min(2, Math.max(0.5, (measured + prior) / (expected + prior)));
  }

  /** Targets that are out. */
  get barred(): readonly BarredTarget[] {
    const barred = [...this.#barred].filter(([target]) => this.bars(target) !== null);
    return barred.map(([target, { reason, loss, allowedLoss }]) => ({ target, reason, loss, allowedLoss }));
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  #keep(grade: Grade): void {
    const { target, requestId, source } = grade;
    const others = (this.#grades.get(target) ?? []).filter((other) => other.requestId !== requestId || other.source !== source);
    this.#grades.set(target, [...others, grade].slice(-WINDOW));
  }

  /** NOTE: a target that answers half of the requests may lose twice as much of them as the bar leaves: the bar is over all. */
  #judge(target: string): void {
    const { quality } = this.of(target);
    if (quality.kind === 'not_measured' || quality.graded < LEAST_TO_BAR || this.#barred.has(target)) return;
    const total = [...this.#routed.values()].reduce((sum, count) => sum + count, 0);
    const share = total === 0 ? 1 : (this.#routed.get(target) ?? 0) / total;
    const loss = share * (1 - Math.min(1, quality.mean + quality.plusMinus));
    const allowed = 1 - this.#options.qualityBar();
    if (loss <= allowed) return;
    const reason = `its measured quality ${quality.mean.toFixed(2)} ± ${quality.plusMinus.toFixed(2)} costs ${percent(loss)} of all answers at least, and the bar allows ${percent(allowed)}`;
    this.#barred.set(target, { reason, loss, allowedLoss: allowed, sinceMs: this.#options.now() });
    this.#options.onBarred?.(target, reason);
  }
}

const percent = (share: number): string => `${(share * 100).toFixed(1)}%`;
