// Pins and unpins one model among the settings. Changes of one ledger are made one after the other, so that none undoes another.
import type { Settings } from '../../contract.ts';
import type { Ledger } from '../../ledger/ledger.ts';

export interface PinChange {
  readonly id: string;
  readonly pinned: boolean;
}

/** The last change of each ledger, whether it went well or not. */
const lastChange = new WeakMap<object, Promise<unknown>>();

export function changePin(ledger: Pick<Ledger, 'settings' | 'changeSettings'>, { id, pinned }: PinChange): Promise<Settings> {
  const before = lastChange.get(ledger) ?? Promise.resolve();
  const change = before.then(() => {
    const others = ledger.settings.pinnedModels.filter((one) => one !== id);
    return ledger.changeSettings({ pinnedModels: pinned ? [...others, id] : others });
  });
  lastChange.set(
    ledger,
    change.catch(() => undefined),
  );
  return change;
}
