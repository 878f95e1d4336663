import { describe, expect, it } from 'vitest';
import { followSettings } from '../../engine/bookkeeping/follow-settings.ts';
import { FakeLedger } from '../fakes/ledger.ts';

describe('followSettings', () => {
  it('carries each change to those that act by it, until it is stopped', async () => {
    const ledger = new FakeLedger({ pinnedModels: ['mill'] });
    const told: unknown[] = [];
    const stop = followSettings(ledger, {
      models: { setPinned: (ids) => told.push(['pinned', ...ids]), setIdleUnload: (minutes) => told.push(['idle', minutes]) },
      onPrices: ({ tariffUsdPerKwh }) => told.push(['tariff', tariffUsdPerKwh]),
      onSettings: ({ cache }) => told.push(['cache', cache.maxBytes]),
    });
    const { idleUnloadMinutes, cost, cache } = ledger.settings;
    expect(told.splice(0)).toEqual([
      ['pinned', 'mill'],
      ['idle', idleUnloadMinutes],
      ['tariff', cost.tariffUsdPerKwh],
      ['cache', cache.maxBytes],
    ]);
    await ledger.changeSettings({
      pinnedModels: [],
      idleUnloadMinutes: null,
      cost: { tariffUsdPerKwh: 1 },
      cache: { maxBytes: 1_048_576 },
    });
    expect(told.splice(0)).toEqual([['pinned'], ['idle', null], ['tariff', 1], ['cache', 1_048_576]]);
    stop();
    await ledger.changeSettings({ idleUnloadMinutes: 9 });
    expect(told).toEqual([]);
  });
});
