// Owns the replicas, one for each variant in use: their share of the memory, which of them stay loaded, and their end.
// Knows nothing about requests.
import { EngineError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { BatchingOptions, RunnerOptions } from '../runner/protocol.ts';
import { planIdleUnloads, unloadInMs, type Candidate, type IdleModel } from './eviction.ts';
import type { HostedModel } from './host.ts';
import type { NamedVariant } from './installed-models.ts';
import { planPlacement } from './placement.ts';
import { ProcessMemory } from './process-memory.ts';
import { Replica, type ReplicaLimits } from './replica.ts';
import type { SpawnRunner } from './runner-process.ts';

export interface ReplicasOptions {
  readonly spawn: SpawnRunner;
  readonly log: Log;
  readonly threads: number;
  readonly contextLength: number | null;
  readonly slots: number | null;
  /** Waiting and running requests of one model together. */
  readonly maxRequests: number;
  readonly speculation: boolean;
  /** How encoders form batches; absent: the runner's own defaults. */
  readonly batching?: BatchingOptions;
  readonly availableMemoryBytes: () => number;
}

interface Surroundings {
  readonly limits: ReplicaLimits;
  readonly now: () => number;
  /** The variant of this key, as it is installed now. */
  readonly find: (key: string) => NamedVariant | undefined;
}

/** Idle models are looked for this often. */
const IDLE_TICK_MS = 1000;
/** What runs in a model that was removed may take so long. */
const FORGET_MS = 30_000;

export class Replicas {
  readonly #options: ReplicasOptions;
  readonly #surroundings: Surroundings;
  readonly #replicas = new Map<string, Replica>();
  readonly #memory: ProcessMemory;
  #pinned: ReadonlySet<string> = new Set();
  #idleUnloadMs: number | null = null;
  /** By key: idle times of single models. */
  readonly #kept = new Map<string, number | null>();
  #idleTimer: NodeJS.Timeout | undefined;

  constructor(options: ReplicasOptions, surroundings: Surroundings) {
    this.#options = options;
    this.#surroundings = surroundings;
    this.#memory = new ProcessMemory(surroundings.now);
  }

  /** The replica of a variant, made when there is none. */
  of(found: NamedVariant): Replica {
    const known = this.#replicas.get(found.key);
    if (known !== undefined) return known;
    const { limits, now } = this.#surroundings;
    const { spawn, log } = this.#options;
    const replica = new Replica({ name: found.key, spawn, grant: () => this.#grant(found.key), limits, log, now });
    this.#replicas.set(found.key, replica);
    return replica;
  }

  /** How the variant is now, for the host's answers. */
  facts({ key }: NamedVariant): Omit<HostedModel, 'manifest' | 'variant'> {
    const replica = this.#replicas.get(key);
    const pid = replica?.pid;
    return {
      state: replica?.state ?? { kind: 'installed' },
      pinned: this.#isPinned(key),
      memoryBytes: pid === undefined ? null : this.#memory.of(pid),
      unloadInMs: replica === undefined ? null : unloadInMs(this.#idleModel(key, replica), this.#surroundings.now()),
    };
  }

  /** Somebody looks: the next answers of `facts` have fresh readings of memory. */
  refreshMemory(): void {
    this.#memory.refresh([...this.#replicas.values()].flatMap(({ pid }) => pid ?? []));
  }

  setPinned(ids: readonly string[]): void {
    this.#pinned = new Set(ids);
  }

  /** Null: idle models stay. */
  setIdleUnload(afterMs: number | null): void {
    this.#idleUnloadMs = afterMs;
    this.#watchIdle();
  }

  /** Of one variant; null: it stays, `default`: as all others. */
  keepAlive(key: string, afterMs: number | null | 'default'): void {
    if (afterMs === 'default') this.#kept.delete(key);
    else this.#kept.set(key, afterMs);
    this.#watchIdle();
  }

  /** Ends the processes of these keys once their requests have finished. */
  async unload(keys: readonly string[]): Promise<void> {
    const loaded = keys.flatMap((key) => this.#replicas.get(key) ?? []);
    await Promise.all(loaded.map((replica) => replica.unload()));
  }

  /** The keys of all variants of a model that were in use. */
  keysOf(id: string): readonly string[] {
    return [...this.#replicas.keys()].filter((key) => idOf(key) === id);
  }

  /** Variants that were removed or replaced: what runs finishes, the next request reads the new files. Resolves when the processes are gone. */
  async forget(keys: readonly string[]): Promise<void> {
    const gone = [...this.#replicas].filter(([key]) => keys.includes(key));
    for (const [key] of gone) {
      this.#replicas.delete(key);
      this.#kept.delete(key);
    }
    await Promise.all(gone.map(([, replica]) => replica.close(FORGET_MS)));
  }

  /** What still runs after `limitMs` ends. */
  async close(limitMs: number): Promise<void> {
    clearInterval(this.#idleTimer);
    await Promise.all([...this.#replicas.values()].map((replica) => replica.close(limitMs)));
  }

  #isPinned(key: string): boolean {
    return this.#pinned.has(idOf(key)) || this.#pinned.has(key);
  }

  #idleModel(key: string, { idleSinceMs }: Replica): IdleModel {
    return {
      key,
      idleSinceMs,
      pinned: this.#isPinned(key),
      afterMs: this.#kept.get(key) ?? (this.#kept.has(key) ? null : this.#idleUnloadMs),
    };
  }

  #watchIdle(): void {
    clearInterval(this.#idleTimer);
    const isNeeded = this.#idleUnloadMs !== null || this.#kept.values().some((afterMs) => afterMs !== null);
    if (isNeeded) this.#idleTimer = setInterval(() => this.#unloadIdle(), IDLE_TICK_MS).unref();
  }

  #unloadIdle(): void {
    const models = [...this.#replicas].map(([key, replica]) => this.#idleModel(key, replica));
    for (const { key, reason } of planIdleUnloads(models, this.#surroundings.now())) {
      this.#options.log.info({ model: key }, reason);
      void this.unload([key]);
    }
  }

  /** What the model's runner is granted now; idle models make room first. */
  async #grant(key: string): Promise<RunnerOptions> {
    const found = this.#surroundings.find(key);
    if (found === undefined) throw new EngineError('model_not_found', `${key} is no longer installed.`, { param: 'model' });
    const { threads, contextLength, slots, maxRequests, speculation, batching, availableMemoryBytes } = this.#options;
    const chosen = batching === undefined ? {} : { batching };
    const wishes = { modelDir: found.folder, threads, contextLength, slots, maxWaiting: maxRequests, speculation, ...chosen };
    for (;;) {
      const placement = planPlacement(found, wishes, availableMemoryBytes(), this.#candidates(key));
      if (placement.kind === 'fits') return placement.options;
      if (placement.kind === 'refused') throw new EngineError('insufficient_memory', placement.reason);
      this.#options.log.info({ model: placement.key }, placement.reason);
      await this.unload([placement.key]);
    }
  }

  #candidates(except: string): readonly Candidate[] {
    return [...this.#replicas]
      .filter(([key, replica]) => key !== except && replica.hasProcess)
      .map(([key, replica]) => ({
        key,
        idle: replica.requestCount === 0,
        lastUsedMs: replica.lastUsedMs,
        pinned: this.#isPinned(key),
      }));
  }
}

function idOf(key: string): string {
  return key.split(':')[0] ?? key;
}
