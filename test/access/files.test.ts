import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { AuditLog } from '../../engine/access/audit-log.ts';
import { keyFilePath } from '../../engine/access/key-file.ts';
import { Keys } from '../../engine/access/keys.ts';
import { Pairing } from '../../engine/access/pairing.ts';
import { Sessions } from '../../engine/access/sessions.ts';
import { Spending } from '../../engine/access/spending.ts';
import { openedAccess, ownFolder, wish } from './opened.ts';

const log = pino({ level: 'silent' });
const keysIn = (dataDir: string) => new Keys({ path: keyFilePath(dataDir), now: Date.now, onFault: () => undefined });

describe('the file of keys', () => {
  it('is readable by its user alone, and has no secret in it', async () => {
    const dataDir = await ownFolder();
    const { secret } = await keysIn(dataDir).create(wish());
    const path = keyFilePath(dataDir);
    if (process.platform !== 'win32') expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readFile(path, 'utf8')).not.toContain(secret.slice(14));
    expect([...keysIn(dataDir).table.keys()]).toEqual([secret.slice(3, 13)]);
  });

  it('keeps every key that several writers make at once', async () => {
    const dataDir = await ownFolder();
    const writers = [keysIn(dataDir), keysIn(dataDir), keysIn(dataDir)];
    await Promise.all(writers.flatMap((keys) => [1, 2, 3, 4].map(() => keys.create(wish()))));
    expect(keysIn(dataDir).list()).toHaveLength(12);
  });

  it('is followed by whoever reads it', async () => {
    const dataDir = await ownFolder();
    const [server, command] = [keysIn(dataDir), keysIn(dataDir)];
    server.follow();
    const { key } = await command.create(wish());
    await expect.poll(() => server.hasUsable, { timeout: 10_000 }).toBe(true);
    await command.revoke(key.id);
    await expect.poll(() => server.hasUsable, { timeout: 10_000 }).toBe(false);
    server.close();
  });

  it.each(['', '{', '{"version":2,"keys":[]}', '{"version":1,"keys":[{"id":"x"}]}'])(
    '%j lets nobody in: it is refused whole',
    async (text) => {
      const dataDir = await ownFolder();
      await writeFile(keyFilePath(dataDir), text);
      expect(() => keysIn(dataDir)).toThrow(
        expect.objectContaining({ code: 'access_unavailable', message: expect.stringContaining('damaged') }),
      );
    },
  );

  it('rotates and revokes only what it has', async () => {
    const { access, time } = await openedAccess();
    const { key, secret } = await access.create(wish({ expiresMs: time.nowMs + 1000 }));
    const next = await access.rotate(key.id, 500);
    const who = (presented: string) => access.identify({ presented, isLocal: false, session: null }).kind;
    expect([who(secret), who(next.secret)]).toEqual(['known', 'known']);
    expect(await access.revoke(key.id)).toMatchObject({ state: 'revoked', revokedMs: time.nowMs });
    expect([who(secret), who(next.secret)]).toEqual(['unknown', 'unknown']);
    await expect(access.rotate(key.id, 0)).rejects.toMatchObject({ code: 'key_not_found' });
    await expect(access.revoke('zzzzzzzzzz')).rejects.toMatchObject({ code: 'key_not_found' });
  });
});

describe('what keys spend', () => {
  it('counts upstream money, and local cost where the key says so; it outlives a restart and ends with the day', async () => {
    const { access, dataDir, time } = await openedAccess();
    const plain = (await access.create(wish({ limits: { monthlyUsd: 10 } }))).key.id;
    const counting = (await access.create(wish({ limits: { monthlyUsd: 10, countsLocalCost: true } }))).key.id;
    for (const id of [plain, counting]) access.spent(id, { upstreamUsd: 2, localUsd: 1 });
    const path = join(dataDir, 'spending.json');
    const spending = new Spending({ path, log, now: () => time.nowMs });
    spending.add(plain, 2);
    spending.add(counting, 3);
    await spending.close();
    const later = new Spending({ path, log, now: () => time.nowMs });
    later.open();
    expect(later.of(plain)).toMatchObject({ todayUsd: 2, monthUsd: 2 });
    expect(access.list().map(({ id, use }) => [id, use.todayUsd])).toEqual(
      expect.arrayContaining([
        [plain, 2],
        [counting, 3],
      ]),
    );
    time.nowMs += 86_400_000;
    expect(later.of(plain)).toMatchObject({ todayUsd: 0, monthUsd: 2 });
  });

  it('starts anew over a damaged file', async () => {
    const path = join(await ownFolder(), 'spending.json');
    await writeFile(path, '{"spend":{"k":{"todayUsd":"much"}}}');
    const spending = new Spending({ path, log, now: Date.now });
    spending.open();
    expect(spending.of('k').todayUsd).toBe(0);
  });
});

describe('the audit log', () => {
  const entry = (atMs: number) => ({
    atMs,
    tenant: 'alice',
    keyId: 'k',
    address: '127.0.0.1',
    action: 'POST /api/pause',
    subject: null,
    status: 200,
  });

  it('has the newest first, over a line that was cut short, and sets old files aside', async () => {
    const path = join(await ownFolder(), 'audit.log');
    const audit = new AuditLog({ path, log, mostBytes: 300 });
    for (const atMs of [1, 2]) audit.note(entry(atMs));
    await audit.close();
    await writeFile(path, `${await readFile(path, 'utf8')}{"atMs":3,`);
    expect((await audit.last(10)).map(({ atMs }) => atMs)).toEqual([2, 1]);
    for (const atMs of [4, 5, 6]) audit.note(entry(atMs));
    await audit.close();
    expect((await stat(`${path}.1`)).size).toBeGreaterThan(0);
    expect((await stat(path)).size).toBeLessThan(600);
  });
});

describe('pairing', () => {
  it('gives one key for a code, within five minutes and five tries', () => {
    let nowMs = 0;
    const pairing = new Pairing(() => nowMs);
    const first = pairing.offer(wish());
    expect(first.code).toMatch(/^\d{6}$/);
    expect(pairing.claim(first.code)).toEqual(wish());
    expect(() => pairing.claim(first.code)).toThrow(expect.objectContaining({ code: 'pairing_refused' }));
    const old = pairing.offer(wish());
    nowMs = old.expiresMs;
    expect(() => pairing.claim(old.code)).toThrow(/too old/);
    const guessed = pairing.offer(wish());
    const wrong = guessed.code === '000000' ? '000001' : '000000';
    for (let attempt = 0; attempt < 5; attempt++) expect(() => pairing.claim(wrong)).toThrow(/wrong/);
    expect(() => pairing.claim(guessed.code)).toThrow(/no code/);
  });
});

describe('a session', () => {
  it('names its key until it ends, and cannot be made or changed by others', () => {
    let nowMs = 0;
    const sessions = new Sessions(() => nowMs);
    const { session, maxAgeSeconds } = sessions.open('aaaaaaaaaa');
    expect(sessions.keyOf(session)).toBe('aaaaaaaaaa');
    expect(sessions.keyOf(session.replace('aaaaaaaaaa', 'bbbbbbbbbb'))).toBeNull();
    expect(new Sessions(() => nowMs).keyOf(session)).toBeNull();
    for (const text of ['', '..', 'a.b', `${session}x`]) expect(sessions.keyOf(text)).toBeNull();
    nowMs = maxAgeSeconds * 1000;
    expect(sessions.keyOf(session)).toBeNull();
  });
});
