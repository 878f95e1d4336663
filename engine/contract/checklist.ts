// The checklist of a serving deployment, judged by evidence, and the drill. `GET /api/checklist`, `POST /api/checklist/{point}/mend`.

/** In the order in which they are shown. */
export const CHECK_POINTS = [
  'quantisation',
  'batching',
  'routing',
  'spare_capacity',
  'right_sizing',
  'utilisation',
  'caching',
  'load_test',
  'degradation',
  'cost_and_quality',
] as const;
export type CheckPoint = (typeof CHECK_POINTS)[number];

/** `unknown`: nothing was measured yet. */
export type CheckState = 'good' | 'attention' | 'bad' | 'unknown';

/** The one thing that mends a point. */
export type CheckAction =
  /** One click does it: `POST /api/checklist/{point}/mend`. */
  | { readonly kind: 'mend'; readonly label: string }
  /** A screen where it is done, as `/models`. */
  | { readonly kind: 'open'; readonly label: string; readonly path: string }
  /** Done outside the console; in words. */
  | { readonly kind: 'advice'; readonly text: string };

export interface CheckItem {
  readonly point: CheckPoint;
  readonly title: string;
  readonly state: CheckState;
  /** What was found, with its number. */
  readonly figure: string;
  /** What it means. */
  readonly sentence: string;
  /** Null where nothing is to be done. */
  readonly action: CheckAction | null;
}

/** A sentence about the size of models and devices, with its numbers. */
export interface SizingAdvice {
  readonly id: string;
  readonly subject: string;
  /** `change`: something should be done; `note`: good to know. */
  readonly kind: 'change' | 'note';
  readonly sentence: string;
  /** What the numbers rest on. */
  readonly basis: string;
}

export const DRILL_STEPS = ['runner_death', 'full_queue', 'upstream_cut'] as const;
export type DrillStepName = (typeof DRILL_STEPS)[number];

/** What one probe request met. */
export interface DrillProbe {
  readonly status: number;
  readonly errorCode: string | null;
  /** Null when no token came. */
  readonly ttftMs: number | null;
  readonly totalMs: number;
  /** Model that answered. */
  readonly model: string | null;
}

export interface DrillStep {
  readonly step: DrillStepName;
  readonly verdict: 'passed' | 'failed' | 'skipped';
  /** What users would have seen. */
  readonly sentence: string;
  /** From the fault to the first good answer; null where none was looked for, or none came. */
  readonly recoveryMs: number | null;
  readonly probes: readonly DrillProbe[];
}

export interface DrillReport {
  readonly startedMs: number;
  readonly endedMs: number;
  /** Although people were being served. */
  readonly forced: boolean;
  /** Model that the probes asked. */
  readonly model: string;
  /** Time to the first token without any fault. */
  readonly baselineTtftMs: number | null;
  readonly passed: boolean;
  readonly steps: readonly DrillStep[];
}

export interface DrillNow {
  /** Null unless a drill is under way. */
  readonly running: { readonly step: DrillStepName | 'baseline'; readonly startedMs: number } | null;
  /** Why it cannot start now unless it is forced; null: it can. */
  readonly refusal: string | null;
  /** Newest first, at most 20. */
  readonly reports: readonly DrillReport[];
}

/** `GET /api/checklist` */
export interface ChecklistAnswer {
  readonly atMs: number;
  readonly items: readonly CheckItem[];
  readonly advice: readonly SizingAdvice[];
  readonly drill: DrillNow;
}

/** `POST /api/checklist/{point}/mend` */
export interface MendAnswer {
  /** What was done, in words. */
  readonly done: string;
  /** Part of the settings that takes it back by `PUT /api/settings`; null: it cannot be taken back. */
  readonly undo: Readonly<Record<string, unknown>> | null;
  readonly checklist: ChecklistAnswer;
}
