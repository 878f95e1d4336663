// Owns the comparison of what runners say now with what they said one sample ago: counts of this second alone.
// Knows nothing about who keeps samples.
import type { HostedModel } from '../../fleet/host.ts';
import type { ModelSample } from '../../ledger/ledger.ts';
import type { RunnerStats } from '../../runner/protocol.ts';
import type { Traffic } from './model-traffic.ts';

interface Seen {
  readonly pid: number;
  readonly stats: RunnerStats;
}

export class ModelSamples {
  #seen: ReadonlyMap<string, Seen> = new Map();

  /** One sample of each model that is loaded or had traffic since the last call. */
  take(models: readonly HostedModel[], traffic: ReadonlyMap<string, Traffic>): readonly ModelSample[] {
    const seen = new Map<string, Seen>();
    const loaded = models.flatMap(({ manifest: { id }, state }) => {
      if (state.kind !== 'ready') return [];
      if (state.stats !== null) seen.set(id, { pid: state.info.pid, stats: state.stats });
      return [sampleOf(id, this.#change(id, seen.get(id)), traffic.get(id))];
    });
    this.#seen = seen;
    const named = new Set(loaded.map(({ model }) => model));
    const others = [...traffic].filter(([id]) => !named.has(id)).map(([id, tokens]) => sampleOf(id, null, tokens));
    return [...loaded, ...others];
  }

  /** A new process counts from zero. */
  #change(id: string, now: Seen | undefined): Change | null {
    if (now === undefined) return null;
    const before = this.#seen.get(id);
    const isSame = before?.pid === now.pid;
    return {
      stats: now.stats,
      isNews: before?.stats !== now.stats,
      busyMs: Math.max(0, now.stats.busyMs - (isSame ? before.stats.busyMs : 0)),
    };
  }
}

interface Change {
  readonly stats: RunnerStats;
  /** The runner has reported since the last sample. */
  readonly isNews: boolean;
  readonly busyMs: number;
}

function sampleOf(model: string, change: Change | null, traffic: Traffic | undefined): ModelSample {
  const stats = change?.stats;
  return {
    model,
    queueDepth: stats?.waiting ?? 0,
    running: stats?.running ?? 0,
    slots: stats?.slots ?? 0,
    kvUsedTokens: stats?.kvUsedTokens ?? 0,
    meanBatch: change?.isNews === true ? change.stats.meanBatch : null,
    promptTokens: traffic?.promptTokens ?? 0,
    completionTokens: traffic?.completionTokens ?? 0,
    busyMs: change?.busyMs ?? 0,
  };
}
