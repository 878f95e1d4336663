import { describe, expect, it } from 'vitest';
import { findUpdate, readUpdate, updateFeed } from '../../electron/updates.ts';

const answer =
  (body: unknown, status = 200): typeof fetch =>
  async () =>
    Response.json(body, { status });

describe('updates', () => {
  it('are looked for only where an https feed is configured', () => {
    expect(updateFeed({})).toBeNull();
    expect(updateFeed({ MILLRACE_UPDATE_FEED: 'http://box.lan/feed.json' })).toBeNull();
    expect(updateFeed({ MILLRACE_UPDATE_FEED: 'nonsense' })).toBeNull();
    expect(updateFeed({ MILLRACE_UPDATE_FEED: 'https://box.lan/feed.json' })).toBe('https://box.lan/feed.json');
  });

  it.each([
    ['1.2.4', true],
    ['1.10.0', true],
    ['2.0.0', true],
    ['1.2.3', false],
    ['1.2.2', false],
    ['0.9.9', false],
    ['1.2', false],
    ['1.2.4-beta', false],
    ['9'.repeat(30), false],
  ])('takes %s for newer than 1.2.3: %s', (version, isNewer) => {
    const url = 'https://box.lan/get';
    expect(readUpdate({ version, url }, '1.2.3')).toEqual(isNewer ? { version, url } : null);
  });

  it('refuses what it cannot trust, and survives a feed that is not there', async () => {
    for (const url of ['http://box.lan/', 'javascript:alert(1)', 'file:///x', 7])
      expect(readUpdate({ version: '9.0.0', url }, '1.2.3')).toBeNull();
    for (const body of [null, 7, [], {}, { version: 9, url: 'https://box.lan/' }]) expect(readUpdate(body, '1.2.3')).toBeNull();
    const update = { version: '9.0.0', url: 'https://box.lan/get' };
    expect(await findUpdate('https://box.lan/', '1.2.3', answer(update))).toEqual(update);
    expect(await findUpdate('https://box.lan/', '1.2.3', answer(update, 500))).toBeNull();
    expect(await findUpdate('https://127.0.0.1:1/', '1.2.3')).toBeNull();
  });
});
