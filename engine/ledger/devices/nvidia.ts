// Reads NVIDIA's cards from one nvidia-smi that prints a line a second for each: starting it anew each time costs far more.
import { silentCard, type DeviceSource, type GpuFacts } from './facts.ts';
import { toNumber } from './files.ts';
import { LineProgram, type Command, type ProgramEnd } from './program.ts';

/** Fields as `nvidia-smi --help-query-gpu` names them: percent, MiB, watts, degrees Celsius. */
export const NVIDIA_SMI: Command = {
  file: 'nvidia-smi',
  args: [
    '--query-gpu=index,name,utilization.gpu,memory.used,memory.total,power.draw,temperature.gpu',
    '--format=csv,noheader,nounits',
    '--loop=1',
  ],
};
/** A card whose lines stop is gone, or the tool hangs. */
const FRESH_MS = 5_000;

export interface NvidiaLine {
  readonly index: number;
  readonly facts: GpuFacts;
}

/** Null for any other line, such as an error's. Fields that a card lacks are `[N/A]` or `[Not Supported]`. */
export function parseNvidiaLine(line: string): NvidiaLine | null {
  const fields = line.split(',').map((field) => field.trim());
  const index = toNumber(fields[0]);
  if (fields.length < 7 || index === null) return null;
  const [utilisation, used, total, watts, celsius] = fields.slice(-5).map(toNumber);
  const facts = {
    name: fields.slice(1, -5).join(', '),
    origin: 'nvidia-smi',
    utilisation: scaled(utilisation, 0.01),
    memoryUsedBytes: scaled(used, 2 ** 20),
    memoryTotalBytes: scaled(total, 2 ** 20),
    powerWatts: watts ?? null,
    temperatureCelsius: celsius ?? null,
    integrated: false,
  };
  return { index, facts };
}

function scaled(value: number | null | undefined, factor: number): number | null {
  return value === null || value === undefined ? null : value * factor;
}

export class NvidiaSmi implements DeviceSource<readonly GpuFacts[]> {
  readonly name = 'nvidia-smi';
  readonly periodMs = 1_000;
  readonly timeoutMs = 10_000;
  readonly #command: Command;
  readonly #nowMs: () => number;
  readonly #cards = new Map<number, { readonly facts: GpuFacts; readonly atMs: number }>();
  #program: LineProgram | null = null;
  #end: ProgramEnd | null = null;
  #wake: (() => void) | null = null;

  constructor(command: Command = NVIDIA_SMI, nowMs: () => number = () => performance.now()) {
    this.#command = command;
    this.#nowMs = nowMs;
  }

  /** The newest line of each card; waits for one when there is none. A program that hangs is ended with the read. */
  async read(signal: AbortSignal): Promise<readonly GpuFacts[] | null> {
    this.#program ??= this.#start();
    if (!this.#fresh() && this.#end === null) await this.#news(signal);
    const end = this.#end;
    if (end === null) return this.#facts();
    this.#program = null;
    this.#end = null;
    if (end.kind === 'missing') return null;
    throw new Error(`nvidia-smi ${end.words}`);
  }

  close(): void {
    this.#program?.close();
    this.#program = null;
    this.#wake?.();
  }

  #start(): LineProgram {
    this.#cards.clear();
    return new LineProgram(this.#command, {
      onLine: (line) => {
        const parsed = parseNvidiaLine(line);
        if (parsed === null) return;
        this.#cards.set(parsed.index, { facts: parsed.facts, atMs: this.#nowMs() });
        this.#wake?.();
      },
      onEnd: (end) => {
        this.#end = end;
        this.#wake?.();
      },
    });
  }

  /** Resolves with the next line or the end of the program; `signal` ends both. */
  async #news(signal: AbortSignal): Promise<void> {
    const giveUp = (): void => this.close();
    signal.addEventListener('abort', giveUp, { once: true });
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    signal.removeEventListener('abort', giveUp);
    this.#wake = null;
  }

  #fresh(): boolean {
    return [...this.#cards.values()].some((card) => this.#isFresh(card.atMs));
  }

  #isFresh(atMs: number): boolean {
    return atMs >= this.#nowMs() - FRESH_MS;
  }

  /** Every card keeps its place. */
  #facts(): readonly GpuFacts[] {
    const cards = [...this.#cards].toSorted(([a], [b]) => a - b);
    return cards.map(([, { facts, atMs }]) => (this.#isFresh(atMs) ? facts : silentCard(facts)));
  }
}
