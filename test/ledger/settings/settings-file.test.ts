import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { DEFAULT_SETTINGS } from '../../../engine/ledger/settings/defaults.ts';
import { SettingsFile } from '../../../engine/ledger/settings/settings-file.ts';
import { aFolder } from '../store/files.ts';

const log = pino({ level: 'silent' });

describe('SettingsFile', () => {
  it('has the defaults without a file, and keeps what was changed', async () => {
    using folder = aFolder();
    const path = join(folder.path, 'new', 'settings.json');
    const file = await SettingsFile.open(path, log);
    expect(file.current).toEqual(DEFAULT_SETTINGS);
    expect(existsSync(path)).toBe(false);
    const changed = await file.change({ cost: { tariffUsdPerKwh: 0.2 } });
    expect((await SettingsFile.open(path, log)).current).toEqual(changed);
    expect(readdirSync(join(folder.path, 'new'))).toEqual(['settings.json']);
  });

  it('applies changes made at once one after the other', async () => {
    using folder = aFolder();
    const path = join(folder.path, 'settings.json');
    const file = await SettingsFile.open(path, log);
    const results = await Promise.allSettled([
      file.change({ pinnedModels: ['a'] }),
      file.change({ cost: { idleWatts: -1 } }),
      file.change({ cost: { idleWatts: 33 } }),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect((await SettingsFile.open(path, log)).current).toMatchObject({ pinnedModels: ['a'], cost: { idleWatts: 33 } });
  });

  it.runIf(process.platform !== 'win32')('lets only its user read the secret in it', async () => {
    using folder = aFolder();
    const path = join(folder.path, 'settings.json');
    await (await SettingsFile.open(path, log)).change({ alerts: { webhookSecret: 'x' } });
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('sets a damaged file aside and goes on with the defaults', async () => {
    using folder = aFolder();
    const path = join(folder.path, 'settings.json');
    writeFileSync(path, '{"settings": {"cost"');
    expect((await SettingsFile.open(path, log)).current).toEqual(DEFAULT_SETTINGS);
    expect(readFileSync(`${path}.damaged`, 'utf8')).toBe('{"settings": {"cost"');
  });

  it('stays as it was when the file cannot be written', async () => {
    using folder = aFolder();
    const path = join(folder.path, 'settings.json');
    const file = await SettingsFile.open(path, log);
    // A folder where the draft should be: no one may write it, whatever their rights.
    mkdirSync(`${path}.new`);
    chmodSync(`${path}.new`, 0o700);
    await expect(file.change({ pinnedModels: ['a'] })).rejects.toMatchObject({ code: 'history_unavailable' });
    expect(file.current).toEqual(DEFAULT_SETTINGS);
  });
});
