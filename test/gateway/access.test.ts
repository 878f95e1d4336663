import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decideAccess, hostName, isLoopback } from '../../engine/gateway/access.ts';

const RULES = { allowedHosts: ['box.lan'], allowedOrigins: ['https://chat.example'], allowsAddresses: false };
const question = (extra: object = {}) => ({
  method: 'POST',
  host: '127.0.0.1:11711',
  origin: undefined,
  contentType: 'application/json',
  hasBody: true,
  scheme: 'http' as const,
  console: false,
  ...extra,
});
const decide = (extra: object) => decideAccess(question(extra), RULES);

describe('decideAccess', () => {
  it.each(['127.0.0.1', 'localhost:1', 'LOCALHOST', '[::1]:11711', 'box.lan:80', 'Box.LAN'])('takes the host %s', (host) => {
    expect(decide({ host })).toEqual({ kind: 'allowed', corsOrigin: null });
  });

  it.each([
    undefined,
    '',
    'evil.example',
    'evil.example:11711',
    '127.0.0.1.evil.example',
    'localhost@evil.example',
    'localhost:x',
    '[::2]',
    'a b',
  ])('refuses the host %s', (host) => {
    expect(decide({ host })).toMatchObject({ kind: 'refused', code: 'host_not_allowed' });
  });

  it('takes its own pages, and names an allowed foreign origin', () => {
    expect(decide({ origin: 'http://127.0.0.1:11711' })).toEqual({ kind: 'allowed', corsOrigin: null });
    expect(decide({ origin: 'https://chat.example' })).toEqual({ kind: 'allowed', corsOrigin: 'https://chat.example' });
  });

  it.each(['null', 'https://evil.example', 'http://127.0.0.1:3000', 'https://127.0.0.1:11711', 'http://localhost:11711'])(
    'refuses the origin %s',
    (origin) => {
      expect(decide({ origin })).toMatchObject({ kind: 'refused', code: 'host_not_allowed' });
    },
  );

  it.each([undefined, 'text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data', 'application/jsonp'])(
    'refuses to write %s',
    (contentType) => {
      expect(decide({ contentType })).toMatchObject({ kind: 'refused', code: 'unsupported_media_type' });
    },
  );

  it('needs no type for nothing, but for the console, whose bare POSTs a form could send', () => {
    const bare = { contentType: undefined, hasBody: false };
    expect(decide(bare).kind).toBe('allowed');
    expect(decide({ ...bare, console: true }).kind).toBe('refused');
    expect(decide({ ...bare, method: 'DELETE' }).kind).toBe('allowed');
    expect(decide({ ...bare, method: 'DELETE', console: true }).kind).toBe('refused');
    expect(decide({ ...bare, origin: 'https://evil.example' }).kind).toBe('refused');
    expect(decide({ ...bare, contentType: 'text/plain' }).kind).toBe('refused');
  });

  it('takes JSON with a charset, and needs no type for reading', () => {
    expect(decide({ contentType: 'Application/JSON; charset=utf-8' }).kind).toBe('allowed');
    expect(decide({ method: 'GET', contentType: undefined }).kind).toBe('allowed');
  });

  it('never takes a host of another name, whatever surrounds it', () => {
    const name = fc.stringMatching(/^[a-z]{1,8}(\.[a-z]{1,8}){1,2}$/).filter((host) => host !== 'box.lan');
    fc.assert(fc.property(name, fc.nat(65535), (host, port) => decide({ host: `${host}:${port}` }).kind === 'refused'));
  });
});

describe('hostName', () => {
  it('reads names and ports', () => {
    expect(hostName('[::1]:80')).toBe('[::1]');
    expect(hostName('Box:80')).toBe('box');
    expect(hostName('a:b:c')).toBeNull();
  });
});

describe('isLoopback', () => {
  it('tells this machine from the network', () => {
    expect(['127.0.0.1', '127.1.2.3', '::1', 'localhost'].every(isLoopback)).toBe(true);
    expect(['0.0.0.0', '::', '192.168.1.2', '127.evil.example', ''].some(isLoopback)).toBe(false);
  });
});
