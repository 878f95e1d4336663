// Reads from the settings' file what a variant may lose: commands work beside a server, and without one.
import { join } from 'node:path';
import type { QualitySettings } from '../contract.ts';
import { SettingsFile } from '../ledger/settings/settings-file.ts';
import { createLog } from '../log.ts';

export async function storedQuality(dataDir: string): Promise<QualitySettings> {
  const file = await SettingsFile.open(join(dataDir, 'settings.json'), createLog('error'));
  return file.current.quality;
}
