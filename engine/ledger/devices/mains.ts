// Reads whether the machine has mains power or runs on a battery. Owns the last answer; a machine that does not tell has none.
import { join } from 'node:path';
import { listFolder, readText } from './files.ts';
import { SystemThread } from './system.ts';

const SUPPLIES = '/sys/class/power_supply';
const PERIOD_MS = 10_000;
const PATIENCE_MS = 8_000;

/** What one power supply says of itself, as files of the kernel (Documentation/ABI/testing/sysfs-class-power). */
export interface Supply {
  readonly type: string | null;
  /** Of a mains adapter: `1` while it gives power. */
  readonly online: string | null;
  /** Of a battery: `Discharging` while it is used. */
  readonly status: string | null;
  /** `Device`: of a mouse or the like. */
  readonly scope: string | null;
}

/** Null: nothing here says. */
export function isOnMains(supplies: readonly Supply[]): boolean | null {
  const own = supplies.filter(({ scope }) => scope !== 'Device');
  const adapters = own.filter(({ type }) => type === 'Mains');
  if (adapters.length > 0) return adapters.some(({ online }) => online === '1');
  const batteries = own.filter(({ type }) => type === 'Battery');
  return batteries.length === 0 ? null : !batteries.some(({ status }) => status === 'Discharging');
}

export class MainsPower {
  readonly #read: () => Promise<boolean | null>;
  readonly #thread: SystemThread | null;
  readonly #timer: NodeJS.Timeout;
  #isReading = false;
  /** Null: unknown. */
  isOn: boolean | null = null;

  constructor(platform: NodeJS.Platform = process.platform) {
    const thread = platform === 'linux' ? null : new SystemThread();
    this.#thread = thread;
    this.#read = thread === null ? readSupplies : () => askSystem(thread);
    this.#timer = setInterval(() => void this.#look(), PERIOD_MS).unref();
    void this.#look();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#thread?.close();
  }

  async #look(): Promise<void> {
    if (this.#isReading) return;
    this.#isReading = true;
    // A machine that cannot answer does not tell.
    this.isOn = await this.#read().catch(() => null);
    this.#isReading = false;
  }
}

async function readSupplies(): Promise<boolean | null> {
  const names = await listFolder(SUPPLIES);
  const read = (name: string, file: string): Promise<string | null> => readText(join(SUPPLIES, name, file));
  const supplies = names.map(async (name): Promise<Supply> => ({
    type: await read(name, 'type'),
    online: await read(name, 'online'),
    status: await read(name, 'status'),
    scope: await read(name, 'scope'),
  }));
  return isOnMains(await Promise.all(supplies));
}

async function askSystem(thread: SystemThread): Promise<boolean | null> {
  return (await thread.ask('mains', AbortSignal.timeout(PATIENCE_MS))) as boolean | null;
}
