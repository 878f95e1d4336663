// Owns shadow grading: of a sample of routed requests a stronger target answers too, after the fact and within a budget, and the two are
// compared. One at a time, and only while nobody waits for that target.
import type { RoutingSettings } from '../../contract.ts';
import type { GenerateRequest, ModelHost } from '../../fleet/host.ts';
import type { Log } from '../../log.ts';
import type { AnsweredRoute } from '../routed-host.ts';
import { STRENGTH, type TierTarget } from '../tiers.ts';
import { agreementOf, cosine, wordOverlap } from './agreement.ts';
import type { Grade } from './grade-file.ts';

export interface ShadowOptions {
  readonly host: ModelHost;
  readonly settings: () => RoutingSettings;
  readonly targets: () => readonly TierTarget[];
  /** Whether a target can answer now without keeping anybody waiting. */
  readonly isIdle: (target: string) => boolean;
  /** What its answer will cost; null: not known. */
  readonly foreseenUsd: (target: string, request: GenerateRequest) => number | null;
  readonly deviceUsd: (deviceMs: number) => number;
  readonly onGrade: (grade: Grade) => void;
  readonly log: Log;
  readonly now: () => number;
  readonly random: () => number;
}

const DAY_MS = 86_400_000;
const ENCODE_MS = 10_000;
/** Longer answers are compared by their beginnings. */
const COMPARED_CHARS = 4_000;

export class Shadow {
  readonly #options: ShadowOptions;
  #isBusy = false;
  #day = 0;
  #spentUsd = 0;

  constructor(options: ShadowOptions) {
    this.#options = options;
  }

  /** Since midnight UTC. */
  get usdToday(): number {
    this.#turn();
    return this.#spentUsd;
  }

  /** A routed request was answered: maybe somebody else answers it too. */
  consider(answer: AnsweredRoute): void {
    const { settings, random, log } = this.#options;
    const { shadowShare } = settings();
    if (this.#isBusy || shadowShare === 0 || random() >= shadowShare || answer.request.params.n !== 1) return;
    const judge = this.#judgeOf(answer);
    if (judge === undefined) return;
    this.#isBusy = true;
    void this.#grade(answer, judge)
      .catch((err: unknown) => log.warn({ err, judge: judge.name }, 'an answer was not graded'))
      .finally(() => (this.#isBusy = false));
  }

  /** The first of the strongest tier, if that is stronger, idle and affordable. */
  #judgeOf({ target, request }: AnsweredRoute): TierTarget | undefined {
    const { targets, isIdle, foreseenUsd, settings } = this.#options;
    const strongest = Math.max(...targets().map(({ tier }) => STRENGTH[tier]));
    if (STRENGTH[target.tier] >= strongest) return undefined;
    const leftUsd = settings().shadowDailyUsd - this.usdToday;
    return targets().find(({ name, tier }) => STRENGTH[tier] === strongest && isIdle(name) && (foreseenUsd(name, request) ?? 0) <= leftUsd);
  }

  async #grade({ request, target, expectedGain, text, usd }: AnsweredRoute, judge: TierTarget): Promise<void> {
    const said = await this.#answer(request, judge);
    if (said === null) return;
    const score = await this.#compare(text, said);
    const expectedLoss = Math.max(0, (1 - STRENGTH[target.tier]) * expectedGain);
    const { onGrade, now } = this.#options;
    onGrade({ requestId: request.route?.requestId ?? '', target: target.name, source: 'shadow', score, expectedLoss, usd, atMs: now() });
  }

  /** Null where it fails. Nobody's key pays for it, but the tenant's prompts go no further than they may. */
  #answer({ prompt, params, caller }: GenerateRequest, judge: TierTarget): Promise<string | null> {
    const { host, deviceUsd } = this.#options;
    let text = '';
    const request: GenerateRequest = {
      model: judge.name,
      prompt,
      params,
      onCharge: (deviceMs) => this.#spend(deviceUsd(deviceMs)),
      onUpstreamUsd: (usd) => this.#spend(usd),
      ...(caller && { caller: { ...caller, keyId: null, priority: 'batch' as const } }),
    };
    return new Promise((resolve) => {
      host.generate(request, (event) => {
        if (event.kind === 'started') text = '';
        if (event.kind === 'text') text += event.text;
        if (event.kind === 'done') resolve(text);
        if (event.kind === 'error') resolve(null);
      });
    });
  }

  async #compare(left: string, right: string): Promise<number> {
    const agreement = agreementOf(left, right);
    return agreement.kind === 'graded' ? agreement.score : ((await this.#similarity(left, right)) ?? wordOverlap(left, right));
  }

  /** By an installed embedding model; null without one. */
  async #similarity(...texts: readonly [string, string]): Promise<number | null> {
    const { host, log } = this.#options;
    const encoder = host.list().find(({ manifest, state }) => {
      return (
        manifest.kind === 'encoder' && manifest.config.head.kind === 'embedding' && manifest.config.head.normalize && state.kind === 'ready'
      );
    });
    if (encoder === undefined) return null;
    const inputs = texts.map((text) => ({ kind: 'text' as const, text: text.slice(0, COMPARED_CHARS) }));
    const params = { truncate: true, caller: 'shadow grading', deadlineMs: ENCODE_MS };
    try {
      const { values, width } = await host.encode({ model: encoder.manifest.id, inputs, params }, AbortSignal.timeout(ENCODE_MS));
      return cosine(values.subarray(0, width), values.subarray(width, 2 * width));
    } catch (err) {
      log.warn({ err }, 'two answers were compared by their words alone');
      return null;
    }
  }

  #spend(usd: number): void {
    this.#turn();
    this.#spentUsd += usd;
  }

  #turn(): void {
    const day = Math.floor(this.#options.now() / DAY_MS);
    if (day !== this.#day) [this.#day, this.#spentUsd] = [day, 0];
  }
}
