import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressOf, isAllowedAddress } from '../../../engine/routing/upstream/address.ts';
import { UpstreamSpending } from '../../../engine/routing/upstream/spending.ts';
import { UpstreamKeys } from '../../../engine/routing/upstream/upstream-keys.ts';
import { folder, log } from './upstreams.ts';

const AT = Date.parse('2026-11-24T12:00:00Z');

describe('UpstreamSpending', () => {
  it('never gives out more than the cap, whatever is asked and settled, and counts a crash as spent', async () => {
    const step = fc.record({
      usd: fc.double({ min: 0.001, max: 3, noNaN: true }),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
      crash: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        const path = join(folder(), 'spending.json');
        let spending = await UpstreamSpending.open(path, log, () => AT);
        let spentUsd = 0;
        for (const { usd, share, crash } of steps) {
          const answer = await spending.reserve(usd, 5);
          if (answer.kind === 'reserved') {
            spentUsd += usd * share;
            // A crash may come before or after the bill.
            if (!crash) answer.reservation.settle(usd * share);
          }
          if (crash) spending = await UpstreamSpending.open(path, log, () => AT);
          expect(spentUsd).toBeLessThanOrEqual(5 + 1e-9);
          expect(spending.usd).toBeGreaterThanOrEqual(spentUsd - 1e-9);
        }
      }),
      { numRuns: 30 },
    );
  });

  it('is exact after a good end, and begins anew with the month', async () => {
    const path = join(folder(), 'spending.json');
    const first = await UpstreamSpending.open(path, log, () => AT);
    const answer = await first.reserve(1, 10);
    if (answer.kind === 'reserved') answer.reservation.settle(0.25);
    await first.close();
    let nowMs = AT;
    const second = await UpstreamSpending.open(path, log, () => nowMs);
    expect(second.usd).toBeCloseTo(0.25);
    nowMs = Date.parse('2026-12-01T00:00:00Z');
    expect(second.usd).toBe(0);
  });

  it('takes a damaged file for a spent month, and sends nothing when it cannot be written', async () => {
    const path = join(folder(), 'spending.json');
    writeFileSync(path, '{"month":');
    const damaged = await UpstreamSpending.open(path, log);
    expect((await damaged.reserve(0.01, 10)).kind).toBe('refused');
    const unwritable = await UpstreamSpending.open('/dev/null/spending.json', log).catch((error: NodeJS.ErrnoException) => error.code);
    expect(unwritable).toBe('ENOTDIR');
  });
});

describe('UpstreamKeys', () => {
  it('keeps keys over a restart, unreadable on disk and for this user alone', () => {
    const dataDir = folder();
    new UpstreamKeys({ dataDir, log, passphrase: undefined }).set('up', 'sk-secret');
    const again = new UpstreamKeys({ dataDir, log, passphrase: undefined });
    expect([again.has('up'), again.get('up'), again.get('other')]).toEqual([true, 'sk-secret', null]);
    const path = join(dataDir, 'upstream-keys.json');
    expect(readFileSync(path, 'utf8')).not.toContain('sk-secret');
    expect(statSync(path).mode & 0o077).toBe(0);
    again.set('up', null);
    expect(new UpstreamKeys({ dataDir, log, passphrase: undefined }).has('up')).toBe(false);
  });

  it('gives no key to whoever has another passphrase, or gives it another name', () => {
    const dataDir = folder();
    new UpstreamKeys({ dataDir, log, passphrase: 'one' }).set('up', 'sk-secret');
    expect(() => new UpstreamKeys({ dataDir, log, passphrase: 'two' }).get('up')).toThrow(/cannot be decrypted/);
    const path = join(dataDir, 'upstream-keys.json');
    writeFileSync(path, readFileSync(path, 'utf8').replace('"up"', '"evil"'));
    expect(() => new UpstreamKeys({ dataDir, log, passphrase: 'one' }).get('evil')).toThrow(/cannot be decrypted/);
  });
});

describe('addresses of upstreams', () => {
  it.each([
    '169.254.169.254',
    '::ffff:169.254.169.254',
    'fe80::1',
    '0.0.0.0',
    '224.0.0.1',
    '255.255.255.255',
    'fd00:ec2::254',
    '::',
    'no address',
  ])('refuses %s', (address) => expect(isAllowedAddress(address)).toBe(false));
  it.each(['127.0.0.1', '192.168.1.20', '10.1.2.3', '::1', '1.1.1.1', '2606:4700::1111'])('allows %s', (address) =>
    expect(isAllowedAddress(address)).toBe(true),
  );
  it.each([
    'ftp://a/v1',
    'file:///etc/passwd',
    'http://user:pass@a/v1',
    'http://169.254.169.254/v1',
    'http://0xa9fea9fe/v1',
    'http://[::ffff:a9fe:a9fe]/v1',
    'nothing',
  ])('refuses %s as a base', (base) => expect(addressOf(base, '/chat/completions').kind).toBe('refused'));
  it('puts a path behind a base', () => {
    expect(addressOf('http://box.lan:8000/v1/', '/messages')).toMatchObject({ url: { href: 'http://box.lan:8000/v1/messages' } });
  });
});
