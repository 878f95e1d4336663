import { X509Certificate } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { createServer, request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { announcedName, labelOf, reachableAddresses, serverNames } from '../../../engine/access/lan/addresses.ts';
import { openAuthority } from '../../../engine/access/lan/authority.ts';
import { createAuthority, createServerCertificate, type Certified } from '../../../engine/access/lan/certificates.ts';
import { addressBytes, isPermitted } from '../../../engine/access/lan/name-constraints.ts';
import { ownFolder } from '../opened.ts';

const NOW = Date.now();

/** What a client that trusts the authority says of a server with this certificate: `ok`, or OpenSSL's code. */
async function verdict(authority: Certified, server: Certified, name: string): Promise<string> {
  const listening = createServer({ cert: server.certificate, key: server.privateKey }, (_, response) => response.end('hello'));
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  const { port } = listening.address() as AddressInfo;
  const options = {
    host: '127.0.0.1',
    port,
    ca: authority.certificate,
    ...(name === '127.0.0.1' ? {} : { servername: name }),
    agent: false,
  };
  const said = await new Promise<string>((resolve) => {
    const asked = request(options, (response) => response.resume().on('end', () => resolve('ok')));
    asked.on('error', (error: NodeJS.ErrnoException) =>
      resolve(error.code === 'UNSPECIFIED' ? error.message : (error.code ?? error.message)),
    );
    asked.end();
  });
  await new Promise((resolve) => listening.close(resolve));
  return said;
}

describe('the authority', () => {
  it('vouches for names and addresses of the local network, to a client that checks', async () => {
    const authority = await createAuthority('box', NOW);
    const server = await createServerCertificate(
      authority,
      { hostName: 'box', names: serverNames('box', ['192.168.1.5', 'fd00::5']) },
      NOW,
    );
    for (const name of ['millrace-box.local', 'box.local', 'box', 'localhost', '127.0.0.1'])
      expect([name, await verdict(authority, server, name)]).toEqual([name, 'ok']);
    expect(await verdict(authority, server, 'other.local')).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
    expect(new X509Certificate(server.certificate).subjectAltName).toContain('IP Address:192.168.1.5');
  });

  it('cannot be made to vouch for a public site, even with its key', async () => {
    const authority = await createAuthority('box', NOW);
    const rogue = await createServerCertificate(authority, { hostName: 'bank.example', names: ['bank.example'] }, NOW);
    expect(new X509Certificate(rogue.certificate).subjectAltName).toBe('DNS:bank.example');
    expect(await verdict(authority, rogue, 'bank.example')).toBe('permitted subtree violation');
  });

  it('leaves out what it may not vouch for', async () => {
    const authority = await createAuthority('box', NOW);
    const server = await createServerCertificate(
      authority,
      { hostName: 'box', names: ['box.local', '203.0.113.9', 'box.example', '2001:db8::1'] },
      NOW,
    );
    expect(new X509Certificate(server.certificate).subjectAltName).toBe('DNS:box.local');
  });

  it('is made once, and anew before it ends; its key is this user’s alone', async () => {
    const dataDir = await ownFolder();
    const first = await openAuthority(dataDir, 'box', NOW);
    expect(await openAuthority(dataDir, 'box', NOW)).toEqual(first);
    if (process.platform !== 'win32') expect((await stat(join(dataDir, 'tls', 'ca.key'))).mode & 0o777).toBe(0o600);
    expect(await openAuthority(dataDir, 'box', NOW + 3640 * 86_400_000)).not.toEqual(first);
  });
});

describe('names and addresses', () => {
  it.each([
    ['10.1.2.3', true],
    ['172.31.0.1', true],
    ['172.32.0.1', false],
    ['192.169.0.1', false],
    ['8.8.8.8', false],
    ['fd12::1', true],
    ['::1', true],
    ['2001:db8::1', false],
    ['box', true],
    ['a.local', true],
    ['local', true],
    ['notlocal', false],
    ['box.example', false],
  ])('%s is of the local network: %s', (name, expected) => {
    expect(isPermitted(name, 'box')).toBe(expected);
  });

  it('reads addresses as bytes', () => {
    expect([...addressBytes('192.168.1.5')]).toEqual([192, 168, 1, 5]);
    expect(addressBytes('fd00::1:2').toString('hex')).toBe('fd000000000000000000000000010002');
    expect(addressBytes('::').toString('hex')).toBe('0'.repeat(32));
  });

  it('makes a label of whatever the system is called', () => {
    expect(['Box.example.com', 'Annas MacBook Pro', '___', 'ünï'].map(labelOf)).toEqual(['box', 'annas-macbook-pro', 'box', 'n']);
    expect(announcedName('Box')).toBe('millrace-box');
  });

  it('knows the addresses that others can reach', () => {
    const face = (address: string, internal = false) => ({
      address,
      internal,
      family: address.includes(':') ? ('IPv6' as const) : ('IPv4' as const),
      netmask: '',
      mac: '',
      cidr: null,
      scopeid: 0,
    });
    const found = reachableAddresses({ lo: [face('127.0.0.1', true)], eth0: [face('fe80::1'), face('fd00::5'), face('192.168.1.5')] });
    expect(found).toEqual(['192.168.1.5', 'fd00::5']);
  });
});
