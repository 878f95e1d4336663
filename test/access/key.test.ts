import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { identifyCaller, LOCAL, mayUseModel, refusesDoor } from '../../engine/access/caller.ts';
import { infoOf, judgeKey, makeKey, rotated, type KeyRecord } from '../../engine/access/key.ts';
import { checkWish } from '../../engine/access/key-wish.ts';
import { hashSecret, keyIdOf, matchesHash, newKeyId, newSecret } from '../../engine/access/secret.ts';
import { wish } from './opened.ts';

const NOW = 1_000_000;
const HOUR = 3_600_000;
const tableOf = (...records: KeyRecord[]) => new Map(records.map((record) => [record.id, record]));

describe('a secret', () => {
  it('has 256 random bits behind its id, and is kept as a hash alone', () => {
    const id = newKeyId();
    const secret = newSecret(id);
    expect(keyIdOf(secret)).toBe(id);
    expect(secret).toHaveLength(`mr_${id}_`.length + 43);
    expect(newSecret(id)).not.toBe(secret);
    const { record } = makeKey(id, wish(), NOW);
    expect(JSON.stringify(record)).not.toContain(secret.slice(-43));
  });

  it('matches its own hash and no other text’s', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (a, b) => {
        expect(matchesHash(a, hashSecret(b))).toBe(a === b);
        expect(matchesHash(a, null)).toBe(false);
      }),
    );
    // The text whose hash stands in where there is no key.
    expect(matchesHash('', null)).toBe(false);
  });

  it.each(['', 'none', 'sk-1234', 'mr_short_x', `mr_${'a'.repeat(10)}_${'b'.repeat(44)}`, `mr_${'A'.repeat(10)}_${'b'.repeat(43)}`])(
    'has not the form %j',
    (text) => {
      expect(keyIdOf(text)).toBeNull();
    },
  );
});

describe('judgeKey', () => {
  const { record, secret } = makeKey('aaaaaaaaaa', wish({ expiresMs: NOW + HOUR }), NOW);

  it('takes the right secret until it expires or is revoked', () => {
    expect(judgeKey(secret, tableOf(record), NOW)).toEqual({ kind: 'valid', key: record });
    expect(judgeKey(secret, tableOf(record), NOW + HOUR)).toMatchObject({ kind: 'invalid', reason: expect.stringContaining('expired') });
    expect(judgeKey(secret, tableOf({ ...record, revokedMs: NOW }), NOW)).toMatchObject({ reason: expect.stringContaining('revoked') });
  });

  it('says nothing of a key to whoever has not its secret', () => {
    const wrong = newSecret(record.id);
    const unknown = newSecret('bbbbbbbbbb');
    const answers = [record, { ...record, revokedMs: NOW }].map((key) => judgeKey(wrong, tableOf(key), NOW));
    expect(new Set([...answers, judgeKey(unknown, tableOf(record), NOW)].map((answer) => JSON.stringify(answer))).size).toBe(1);
  });

  it('takes the old secret during the grace time of a rotation, and the new one at once', () => {
    const next = rotated(record, 1000, NOW);
    expect(judgeKey(next.secret, tableOf(next.record), NOW).kind).toBe('valid');
    expect(judgeKey(secret, tableOf(next.record), NOW + 999).kind).toBe('valid');
    expect(judgeKey(secret, tableOf(next.record), NOW + 1000)).toMatchObject({ reason: expect.stringContaining('replaced') });
    expect(judgeKey(secret, tableOf(rotated(record, 0, NOW).record), NOW).kind).toBe('invalid');
  });

  it('shows a key without its hashes', () => {
    const info = infoOf(rotated(record, 1000, NOW).record, NOW);
    expect(info).toMatchObject({ id: record.id, tenant: 'alice', state: 'active', previousUntilMs: NOW + 1000 });
    expect(Object.keys(info).join()).not.toMatch(/hash|previous,/);
    expect(infoOf(record, NOW + HOUR).state).toBe('expired');
  });
});

describe('identifyCaller', () => {
  const { record, secret } = makeKey('aaaaaaaaaa', wish(), NOW);
  const identify = (presented: string | null, isLocal: boolean, requireKey = false) =>
    identifyCaller({ presented, isLocal }, { keys: tableOf(record), requireKey }, NOW);

  it('knows whoever is at this machine, whatever text their client sends for a key', () => {
    for (const text of [null, 'none', 'sk-abc']) expect(identify(text, true)).toEqual({ kind: 'known', caller: LOCAL });
  });

  it('judges a key of our form at this machine too', () => {
    expect(identify(secret, true)).toEqual({ kind: 'known', caller: { tenant: 'alice', key: record } });
    expect(identify(newSecret('aaaaaaaaaa'), true).kind).toBe('unknown');
  });

  it('needs a key from elsewhere, and here too when told so', () => {
    for (const text of [null, 'none']) {
      expect(identify(text, false).kind).toBe('unknown');
      expect(identify(text, true, true).kind).toBe('unknown');
    }
    expect(identify(secret, false).kind).toBe('known');
  });
});

describe('scopes', () => {
  const callerWith = (scopes: Parameters<typeof wish>[0]) => ({ tenant: 'alice', key: makeKey('aaaaaaaaaa', wish(scopes), NOW).record });

  it('keep a key to its endpoints, and the console to admins', () => {
    const plain = callerWith({});
    const chat = callerWith({ scopes: { endpoints: ['chat'] } });
    const admin = callerWith({ scopes: { admin: true } });
    const doors = [
      { kind: 'open' },
      { kind: 'api', endpoint: 'chat' },
      { kind: 'api', endpoint: 'embeddings' },
      { kind: 'metrics' },
      { kind: 'console' },
    ] as const;
    const passes = (caller: typeof plain | typeof LOCAL) => doors.map((door) => refusesDoor(caller, door) === null);
    expect(passes(LOCAL)).toEqual([true, true, true, true, true]);
    expect(passes(plain)).toEqual([true, true, true, false, false]);
    expect(passes(chat)).toEqual([true, true, false, false, false]);
    expect(passes(admin)).toEqual([true, true, true, true, true]);
  });

  it('keep a key to its models, their variants included', () => {
    const caller = callerWith({ scopes: { models: ['mill', 'auto:fast', 'other:int4'] } });
    const names = ['mill', 'mill:int8', 'auto:fast', 'other:int4', 'other', 'auto', 'millstone'];
    expect(names.filter((name) => mayUseModel(caller, name))).toEqual(['mill', 'mill:int8', 'auto:fast', 'other:int4']);
    expect(mayUseModel(LOCAL, 'anything')).toBe(true);
  });
});

describe('checkWish', () => {
  it.each([
    [{ tenant: '' }, 'tenant'],
    [{ tenant: 'local' }, 'tenant'],
    [{ tenant: '../x' }, 'tenant'],
    [{ expiresMs: NOW }, 'expiresMs'],
    [{ expiresMs: 1.5 }, 'expiresMs'],
    [{ priority: 'high' as 'normal' }, 'priority'],
    [{ limits: { requestsPerMinute: 0 } }, 'limits.requestsPerMinute'],
    [{ limits: { dailyUsd: -1 } }, 'limits.dailyUsd'],
    [{ limits: { dailyUsd: NaN } }, 'limits.dailyUsd'],
    [{ scopes: { endpoints: ['fly' as 'chat'] } }, 'scopes.endpoints'],
    [{ scopes: { models: [] } }, 'scopes.models'],
  ])('refuses %j by the name of its field', (changes, field) => {
    expect(() => checkWish(wish(changes), NOW)).toThrow(expect.objectContaining({ code: 'invalid_request', param: field }));
  });

  it('takes everything at its limits', () => {
    const limits = { requestsPerMinute: 1, tokensPerMinute: 1e9, concurrency: 1, dailyUsd: 0, monthlyUsd: 1e9, countsLocalCost: true };
    const whole = wish({
      tenant: 'a'.repeat(64),
      expiresMs: NOW + 1,
      limits,
      scopes: { endpoints: ['chat', 'metrics'], models: ['m'], admin: true },
    });
    expect(checkWish(whole, NOW)).toBe(whole);
  });
});
