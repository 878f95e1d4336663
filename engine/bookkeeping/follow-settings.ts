// Carries settings to those that act by them: prices to the meter, pins and idle time to the fleet, all of them to routing.
import type { CostSettings, Settings } from '../contract.ts';
import type { ModelControl } from '../fleet/control.ts';
import type { Ledger } from '../ledger/ledger.ts';

export interface SettingsFollowers {
  readonly models: Pick<ModelControl, 'setPinned' | 'setIdleUnload'>;
  readonly onPrices: (prices: CostSettings) => void;
  readonly onSettings: (settings: Settings) => void;
}

/** From now on; returns how to stop. */
export function followSettings(
  ledger: Pick<Ledger, 'settings' | 'onSettings'>,
  { models, onPrices, onSettings }: SettingsFollowers,
): () => void {
  const apply = (settings: Settings): void => {
    models.setPinned(settings.pinnedModels);
    models.setIdleUnload(settings.idleUnloadMinutes);
    onPrices(settings.cost);
    onSettings(settings);
  };
  apply(ledger.settings);
  return ledger.onSettings(apply);
}
