// Connects batches with what they depend on: the user's settings, the state of the machine, and what their requests cost.
import type { DeviceNow } from '../contract.ts';
import { Batches } from '../jobs/batches/batches.ts';
import type { RowServer } from '../jobs/batches/batch-control.ts';
import type { Surroundings } from '../jobs/batches/permission.ts';
import { MainsPower } from '../ledger/devices/mains.ts';
import type { Ledger, RequestRecord } from '../ledger/ledger.ts';
import type { Log } from '../log.ts';

export interface StartBatchesOptions {
  readonly dataDir: string;
  readonly log: Log;
  readonly rows: RowServer;
  readonly ledger: Pick<Ledger, 'settings'>;
  readonly devices: () => readonly DeviceNow[];
}

export interface StartedBatches {
  readonly batches: Batches;
  /** A finished request. */
  readonly take: (record: RequestRecord) => void;
  readonly close: () => Promise<void>;
}

/** Whether a request was a row of a batch. */
export function isRow({ endpoint }: RequestRecord): boolean {
  return endpoint === '/v1/batches';
}

const RETRY_MS = 30_000;

export function startBatches({ dataDir, log, rows, ledger, devices }: StartBatchesOptions): StartedBatches {
  const mains = new MainsPower();
  const surroundings = (): Surroundings => ({
    minuteOfDay: minuteOf(new Date()),
    isOnMains: mains.isOn,
    celsius: hottest(devices()),
    usdPerKwh: ledger.settings.cost.tariffUsdPerKwh,
  });
  const batches = new Batches({ dataDir, log, server: rows, settings: () => ledger.settings.batch, surroundings });
  const stopOpening = openInTheEnd(batches, log);
  return {
    batches,
    take: (record) => batches.charged(record.requestId, record),
    close: async () => {
      stopOpening();
      mains.close();
      await batches.close();
    },
  };
}

/** Nothing else waits for a file that cannot be opened now. */
function openInTheEnd(batches: Batches, log: Log): () => void {
  let timer: NodeJS.Timeout | undefined;
  const open = (): void => {
    batches.open().catch((err: unknown) => {
      log.error({ err }, 'batches cannot be opened; it is tried again');
      timer = setTimeout(open, RETRY_MS).unref();
    });
  };
  open();
  return () => clearTimeout(timer);
}

function minuteOf(time: Date): number {
  return time.getHours() * 60 + time.getMinutes();
}

function hottest(devices: readonly DeviceNow[]): number | null {
  const known = devices.flatMap(({ temperatureCelsius }) => temperatureCelsius.value ?? []);
  return known.length === 0 ? null : Math.max(...known);
}
