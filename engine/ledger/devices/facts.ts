// What sources say of devices, before it becomes the contract's DeviceNow. Nulls are unknown.
import type { DeviceNow } from '../../contract.ts';

/** What one source knows of the machine outside its graphics cards; absent: not its business. */
export interface CpuFacts {
  /** 0 to 1 over the time since the source was last read. */
  readonly utilisation?: number | null;
  readonly memoryUsedBytes?: number | null;
  readonly memoryTotalBytes?: number | null;
  readonly power?: BasedFact;
  readonly temperature?: BasedFact;
}

/** Watts or degrees Celsius, and what they cover; without a value, why there is none. */
export interface BasedFact {
  readonly value: number | null;
  readonly basis: string;
}

export interface GpuFacts {
  readonly name: string;
  /** Where the figures are from, in a word or two. */
  readonly origin: string;
  readonly utilisation: number | null;
  readonly memoryUsedBytes: number | null;
  readonly memoryTotalBytes: number | null;
  readonly powerWatts: number | null;
  readonly temperatureCelsius: number | null;
  /** One chip with the CPU, whose power figure has its part in it. */
  readonly integrated: boolean;
}

/** A card that was heard of and says nothing now. */
export function silentCard(facts: GpuFacts): GpuFacts {
  return { ...facts, utilisation: null, memoryUsedBytes: null, powerWatts: null, temperatureCelsius: null };
}

/** Something that tells about devices, read now and then. */
export interface DeviceSource<T> {
  readonly name: string;
  readonly periodMs: number;
  /** A read that takes longer is aborted and counts as failed. */
  readonly timeoutMs: number;
  /** Null: this machine has no such thing. */
  read(signal: AbortSignal): Promise<T | null>;
  /** Ends what it keeps running. */
  close?(): void;
}

/** The machine's devices once a second. */
export interface DeviceReader {
  /** What is known now; the CPU first, then GPUs in a stable order. Waits for slow sources a quarter of a second at most; never rejects. */
  read(): Promise<readonly DeviceNow[]>;
  /** Ends the programs that it reads from. */
  close(): void;
}
