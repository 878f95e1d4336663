// Wires the room for a running engine: keys and spending over the files of its data folder.
import { join } from 'node:path';
import type { Log } from '../log.ts';
import { Access } from './access.ts';
import { AuditLog } from './audit-log.ts';
import { keyFilePath } from './key-file.ts';
import { Keys } from './keys.ts';
import { Spending } from './spending.ts';

export interface OpenAccessOptions {
  readonly dataDir: string;
  /** Nobody enters without a key, not even from this machine. */
  readonly requireKey: boolean;
  readonly log: Log;
}

export interface OpenedAccess {
  readonly access: Access;
  /** Writes what is held. Never rejects. */
  readonly close: () => Promise<void>;
}

/** @throws EngineError `access_unavailable` for a damaged file of keys */
export function openAccess({ dataDir, requireKey, log }: OpenAccessOptions): OpenedAccess {
  const now = Date.now;
  const onFault = (err: unknown): void => log.error({ err }, 'the file of API keys cannot be read; the keys stay as they were');
  const keys = new Keys({ path: keyFilePath(dataDir), now, onFault });
  const spending = new Spending({ path: join(dataDir, 'spending.json'), log, now });
  const audit = new AuditLog({ path: join(dataDir, 'audit.log'), log });
  spending.open();
  keys.follow();
  const close = async (): Promise<void> => {
    keys.close();
    await Promise.all([spending.close(), audit.close()]);
  };
  return { access: new Access({ keys, spending, audit, requireKey, now }), close };
}
