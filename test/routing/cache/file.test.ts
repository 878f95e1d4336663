// The file behind the cache: warm after a restart, and what is done about damage, a disk that takes nothing, and models that are gone.
import { mkdtemp, readFile, readdir, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CacheFile } from '../../../engine/routing/cache/cache-file.ts';
import type { CacheEntry } from '../../../engine/routing/cache/entry-cache.ts';
import { fakeRow } from '../../fakes/host.ts';
import { caching, chat, encode, finish, generate, said, settle, text } from './caching.ts';

let folder = '';
let path = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-cache-'));
  path = join(folder, 'cache.db');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Fills a cache file with a row and an answer. */
async function fill(): Promise<void> {
  const { host, cache } = caching({ path, answer: () => 'Because.' });
  await encode(cache, [text('a')]);
  generate(cache, chat('Why?'));
  await finish(host);
  await cache.close();
}

describe('the file of the cache', () => {
  it('makes the next start warm', async () => {
    await fill();
    const { host, cache } = caching({ path });
    await cache.loaded;
    const { encoding, report } = await encode(cache, [text('a')]);
    expect([report.use, [...encoding.values]]).toEqual(['hit', [...fakeRow(text('a'))]]);
    const heard = generate(cache, chat('Why?'));
    await settle();
    expect([heard.reports[0]?.use, said(heard)]).toEqual(['hit', 'Because.']);
    expect(host.requests).toHaveLength(0);
  });

  it('forgets what is too old by now', async () => {
    await fill();
    const old = caching({ path, settings: { maxAgeHours: 0 } });
    await old.cache.loaded;
    expect(old.cache.size.entries).toBe(0);
    await old.cache.close();
    const next = caching({ path });
    await next.cache.loaded;
    expect(next.cache.size.entries).toBe(0);
  });

  it('drops what models answered that are no longer installed', async () => {
    await fill();
    const { cache } = caching({ path, encoders: {} });
    await cache.loaded;
    await settle();
    expect(cache.size.entries).toBe(1);
    await cache.close();
    const again = caching({ path });
    await again.cache.loaded;
    expect((await encode(again.cache, [text('a')])).report.use).toBe('miss');
  });

  it.each([
    ['that is no database', async () => writeFile(path, 'no database at all, only some text that is long enough'.repeat(100))],
    ['that was cut', async () => truncate(path, Math.floor((await stat(path)).size / 2))],
  ])('throws away a file %s, says so, and goes on', async (_, damage) => {
    await fill();
    await damage();
    const { cache, log } = caching({ path });
    await cache.loaded;
    expect(log.join()).toMatch(/thrown away/);
    expect((await encode(cache, [text('a')])).report.use).toBe('miss');
    await cache.close();
    expect((await readdir(folder)).filter((name) => name.includes('damaged'))).toEqual([]);
    const next = caching({ path });
    await next.cache.loaded;
    expect((await encode(next.cache, [text('a')])).report.use).toBe('hit');
  });

  it('goes on in memory, and says so, where no file can be made', async () => {
    await writeFile(join(folder, 'file'), '');
    const { cache, log } = caching({ path: join(folder, 'file', 'cache.db') });
    await cache.loaded;
    expect(log.join()).toMatch(/in memory alone/);
    await encode(cache, [text('a')]);
    expect((await encode(cache, [text('a')])).report.use).toBe('hit');
  });

  it('drops an entry whose bytes have changed, and keeps the others', async () => {
    const nowMs = 1_700_000_000_000;
    const limits = { maxBytes: 1e6, createdAfterMs: -1 };
    const entry = { identity: 'm', kind: 'row', createdMs: nowMs } as const;
    const file = new CacheFile(path, nowMs);
    const changed = 'these bytes are changed behind the back of the database';
    file.write(
      [
        { ...entry, key: 'a', value: Buffer.from(changed) },
        { ...entry, key: 'b', value: Buffer.from('these are not') },
      ],
      [],
    );
    file.close();
    const bytes = await readFile(path);
    bytes.write('X', bytes.indexOf(changed));
    await writeFile(path, bytes);
    const again = new CacheFile(path, nowMs);
    const loaded: CacheEntry[] = [];
    expect(again.load(limits, (entries) => loaded.push(...entries))).toBe(1);
    expect(loaded.map(({ key }) => key)).toEqual(['b']);
    expect(again.load(limits, () => undefined)).toBe(0);
    again.close();
  });

  it('loads the newest that fit', () => {
    const file = new CacheFile(path, 0);
    const keys = ['a', 'b', 'c', 'd'];
    file.write(
      keys.map((key, at) => ({ key, identity: 'm', kind: 'row', createdMs: at, value: new Uint8Array(100) })),
      [],
    );
    const loaded: string[] = [];
    file.load({ maxBytes: 250, createdAfterMs: -1 }, (entries) => loaded.push(...entries.map(({ key }) => key)));
    file.close();
    expect(loaded).toEqual(['c', 'd']);
  });
});
