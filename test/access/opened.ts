// An access room over a folder of its own, at a time that the test sets; closed and removed after the test.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach } from 'vitest';
import { Access } from '../../engine/access/access.ts';
import { AuditLog } from '../../engine/access/audit-log.ts';
import { keyFilePath } from '../../engine/access/key-file.ts';
import { plainWish } from '../../engine/access/key-wish.ts';
import { Keys } from '../../engine/access/keys.ts';
import { Spending } from '../../engine/access/spending.ts';
import type { KeyLimits, KeyScopes, KeyWish } from '../../engine/contract.ts';

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

export interface Opened {
  readonly access: Access;
  readonly keys: Keys;
  readonly dataDir: string;
  /** Milliseconds since 1970; goes on when the test says so. */
  readonly time: { nowMs: number };
}

/** A folder that is removed after the test. */
export async function ownFolder(): Promise<string> {
  const dataDir = await mkdtemp(join(tmpdir(), 'millrace-access-'));
  ends.push(() => rm(dataDir, { recursive: true }));
  return dataDir;
}

export async function openedAccess(options: { readonly requireKey?: boolean } = {}): Promise<Opened> {
  const dataDir = await ownFolder();
  const time = { nowMs: Date.UTC(2026, 10, 24, 12) };
  const now = (): number => time.nowMs;
  const log = pino({ level: 'silent' });
  const keys = new Keys({ path: keyFilePath(dataDir), now, onFault: () => undefined });
  const spending = new Spending({ path: join(dataDir, 'spending.json'), log, now });
  const audit = new AuditLog({ path: join(dataDir, 'audit.log'), log });
  ends.unshift(async () => {
    keys.close();
    await Promise.all([spending.close(), audit.close()]);
  });
  return { access: new Access({ keys, spending, audit, requireKey: options.requireKey ?? false, now }), keys, dataDir, time };
}

/** A plain key's wish with changes. */
export function wish(
  changes: { readonly scopes?: Partial<KeyScopes>; readonly limits?: Partial<KeyLimits> } & Partial<
    Omit<KeyWish, 'scopes' | 'limits'>
  > = {},
): KeyWish {
  const plain = plainWish('alice');
  return { ...plain, ...changes, scopes: { ...plain.scopes, ...changes.scopes }, limits: { ...plain.limits, ...changes.limits } };
}
