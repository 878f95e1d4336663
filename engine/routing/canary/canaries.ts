// Owns the canaries of this machine's models: which conversations they answer, what both arms showed, and how each ended. Those that run
// outlive a restart, their counts do not. Knows nothing about how a variant is promoted.
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { CanaryNow, CanaryStatus, CanaryVerdict } from '../../contract.ts';
import { EngineError, type ErrorCode } from '../../errors.ts';
import type { GenerateRequest } from '../../fleet/host.ts';
import type { Log } from '../../log.ts';
import type { MeasuredAnswer } from '../target-stats.ts';
import { Arm } from './arm.ts';
import type { CanaryControl, CanaryWish } from './canary-control.ts';
import { isInShare } from './conversation.ts';
import { decideCanary } from './decide-canary.ts';

export interface CanariesOptions {
  readonly path: string;
  readonly log: Log;
  /** Lets the variant answer to the plain name. */
  readonly promote: (model: string, variant: string) => Promise<void>;
  readonly now: () => number;
}

/** How one target of a request ended; what tells nothing about the target is not heard of. */
export type TargetOutcome =
  | { readonly kind: 'answered'; readonly measured: MeasuredAnswer }
  | { readonly kind: 'failed'; readonly code: ErrorCode };

/** What a plain name means while a canary runs. */
export interface CanaryRoute {
  /** In turn: the one after the canary answers when it fails. */
  readonly targets: readonly string[];
  /** In words. */
  readonly reason: string;
  readonly onOutcome: (target: string, outcome: TargetOutcome) => void;
}

interface Kept extends CanaryWish {
  readonly startedMs: number;
}

interface Running {
  readonly kept: Kept;
  readonly canary: Arm;
  readonly baseline: Arm;
}

/** Ended ones that are remembered, over all models. */
const MOST_ENDED = 20;

export class Canaries implements CanaryControl {
  readonly #options: CanariesOptions;
  readonly #running = new Map<string, Running>();
  #ended: readonly CanaryStatus[] = [];

  constructor(options: CanariesOptions) {
    this.#options = options;
    for (const kept of readKept(options)) this.#running.set(kept.model, running(kept));
  }

  of(model: string): CanaryNow {
    const found = this.#running.get(model);
    return {
      running: found === undefined ? null : statusOf(found, null, decided(found)),
      ended: this.#ended.filter((each) => each.model === model),
    };
  }

  start(wish: CanaryWish): void {
    if (this.#running.has(wish.model))
      throw new EngineError('invalid_request', `A canary of ${wish.model} runs already; stop it first.`, { param: 'variant' });
    if (wish.variant === wish.baseline) throw new EngineError('invalid_request', `${wish.variant} answers already.`, { param: 'variant' });
    this.#running.set(wish.model, running({ ...wish, startedMs: this.#options.now() }));
    this.#keep();
  }

  stop(model: string): void {
    const found = this.#running.get(model);
    if (found === undefined) throw new EngineError('not_found', `No canary of ${model} runs.`, { param: 'model' });
    this.#end(found, { kind: 'stopped', reason: 'Stopped by hand.' });
  }

  /** Null: the name means what it always does. */
  routeOf(model: string, request: Pick<GenerateRequest, 'prompt' | 'caller'>): CanaryRoute | null {
    const found = this.#running.get(model);
    if (found === undefined) return null;
    const { variant, share, startedMs } = found.kept;
    const target = `${model}:${variant}`;
    const isCanary = isInShare(request, `${target} ${startedMs}`, share);
    return {
      targets: isCanary ? [target, model] : [model],
      reason: isCanary
        ? `a canary: ${variant} answers ${(share * 100).toFixed(0)}% of conversations`
        : `the canary ${variant} leaves this conversation out`,
      onOutcome: (asked, outcome) => this.#take(found, asked === target ? found.canary : found.baseline, outcome),
    };
  }

  #take(found: Running, arm: Arm, outcome: TargetOutcome): void {
    if (this.#running.get(found.kept.model) !== found) return;
    if (outcome.kind === 'answered') arm.answered(outcome.measured);
    else arm.failed();
    const verdict = decided(found);
    if (verdict.kind === 'wait') return;
    this.#end(found, verdict);
    if (verdict.kind === 'promote') void this.#promote(found.kept);
  }

  #end(found: Running, verdict: CanaryVerdict): void {
    const { model, variant } = found.kept;
    this.#running.delete(model);
    this.#ended = [statusOf(found, this.#options.now(), verdict), ...this.#ended].slice(0, MOST_ENDED);
    this.#options.log.info({ model, variant, verdict: verdict.kind, reason: verdict.reason }, 'a canary ended');
    this.#keep();
  }

  async #promote({ model, variant }: Kept): Promise<void> {
    try {
      await this.#options.promote(model, variant);
    } catch (err) {
      this.#options.log.error({ err, model, variant }, 'the canary passed, and could not be promoted');
    }
  }

  /** A file that cannot be written costs a restart its canaries, and no request its answer. */
  #keep(): void {
    const { path, log } = this.#options;
    try {
      writeFileSync(`${path}.new`, `${JSON.stringify({ version: 1, running: Array.from(this.#running.values(), ({ kept }) => kept) })}\n`);
      renameSync(`${path}.new`, path);
    } catch (err) {
      log.error({ err }, 'the canaries cannot be written down, and end with the process');
    }
  }
}

function running(kept: Kept): Running {
  return { kept, canary: new Arm(kept.variant), baseline: new Arm(kept.baseline) };
}

function decided({ kept, canary, baseline }: Running): CanaryVerdict {
  return decideCanary({ ...kept, canary: canary.facts, baseline: baseline.facts });
}

function statusOf({ kept, canary, baseline }: Running, endedMs: number | null, verdict: CanaryVerdict): CanaryStatus {
  const { model, share, leastRequests, quality, startedMs } = kept;
  return { model, share, leastRequests, quality, startedMs, endedMs, canary: canary.facts, baseline: baseline.facts, verdict };
}

function readKept({ path, log }: CanariesOptions): readonly Kept[] {
  try {
    const value = JSON.parse(readFileSync(path, 'utf8')) as { readonly version?: unknown; readonly running?: readonly Kept[] };
    return value.version === 1 && Array.isArray(value.running) ? value.running : [];
  } catch (err) {
    if (!(err instanceof Error && 'code' in err && err.code === 'ENOENT')) log.error({ err }, 'the canaries cannot be read; none runs');
    return [];
  }
}
