// Decides which idle models leave memory: those that nobody has asked for in a while, and the one that makes room for another.
// Pure: the fleet gives the times and carries it out. A model with a request under way never leaves.

/** A model with a process. */
export interface Candidate {
  readonly key: string;
  /** No request waits for it or runs in it. */
  readonly idle: boolean;
  readonly lastUsedMs: number;
  readonly pinned: boolean;
}

/** The idle model that was used least recently; pinned ones stay. */
export function chooseEviction(loaded: readonly Candidate[]): Candidate | null {
  const evictable = loaded.filter(({ idle, pinned }) => idle && !pinned);
  return evictable.sort((a, b) => a.lastUsedMs - b.lastUsedMs)[0] ?? null;
}

export interface IdleModel {
  readonly key: string;
  readonly pinned: boolean;
  /** Since when it is loaded without a request; null while it loads, works or ends. */
  readonly idleSinceMs: number | null;
  /** Idle time allowed; null: no limit. */
  readonly afterMs: number | null;
}

/** Time until the model is unloaded if nobody asks; null: never. */
export function unloadInMs({ pinned, idleSinceMs, afterMs }: IdleModel, nowMs: number): number | null {
  if (pinned || idleSinceMs === null || afterMs === null) return null;
  return Math.max(0, idleSinceMs + afterMs - nowMs);
}

export interface IdleUnload {
  readonly key: string;
  readonly reason: string;
}

/** The models whose idle time is over. */
export function planIdleUnloads(models: readonly IdleModel[], nowMs: number): readonly IdleUnload[] {
  const due = models.filter((model) => unloadInMs(model, nowMs) === 0);
  return due.map(({ key, afterMs }) => ({ key, reason: `Nobody has asked for ${key} in ${minutes(afterMs ?? 0)}.` }));
}

function minutes(ms: number): string {
  const count = Math.round((ms / 60_000) * 10) / 10;
  return count === 1 ? '1 minute' : `${count} minutes`;
}
