// What sources say of devices, before it becomes a contract's DeviceNow. Nulls are unknown.
import type { DeviceNow } from '../../contract.ts';

/** What one source knows of the machine outside its GPUs; absent: not its business. */
export interface CpuFacts {
  readonly utilisation?: number | null;
  readonly memoryUsedBytes?: number | null;
  readonly memoryTotalBytes?: number | null;
  readonly powerWatts?: number | null;
  readonly temperatureCelsius?: number | null;
}

export interface GpuFacts {
  readonly name: string;
  readonly utilisation: number | null;
  readonly memoryUsedBytes: number | null;
  readonly memoryTotalBytes: number | null;
  readonly powerWatts: number | null;
  readonly temperatureCelsius: number | null;
}

/** The machine's devices once a second. */
export interface DeviceReader {
  /** What is known now; the CPU first, then GPUs in a stable order. Answers within a quarter of a second and never rejects. */
  read(): Promise<readonly DeviceNow[]>;
  /** Ends the programs that it reads from. */
  close(): void;
}
