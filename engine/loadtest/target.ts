// Decides whether an address may be sent a load: the user's own network, and others only when they are said to be theirs.
import { lookup } from 'node:dns/promises';
import { BlockList, isIP } from 'node:net';
import { EngineError } from '../errors.ts';
import { PRIVATE_NETWORKS } from '../private-networks.ts';

const OWN = new BlockList();
for (const [address, bits] of PRIVATE_NETWORKS) OWN.addSubnet(address, bits, address.includes(':') ? 'ipv6' : 'ipv4');

/** The base address without `/v1` and without a slash at its end. @throws EngineError `invalid_request` */
export function baseAddress(typed: string): string {
  const url = URL.canParse(typed) ? new URL(typed) : null;
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:') || url.username !== '')
    throw new EngineError('invalid_request', `${typed} is no address of a server, such as http://192.168.1.20:8000.`, { param: 'url' });
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '').replace(/\/v1$/, '');
}

/** Every address of its name must be of a private network. @throws EngineError `invalid_request` for a public or an unknown one */
export async function checkPrivate(url: string): Promise<void> {
  const host = new URL(url).hostname.replace(/^\[|\]$/g, '');
  const addresses = isIP(host) === 0 ? await resolved(host) : [host];
  const foreign = addresses.find((address) => !isPrivate(address));
  if (foreign !== undefined)
    throw new EngineError('invalid_request', `${host} is on the internet (${foreign}). A load test is for servers of your own network.`, {
      param: 'url',
    });
}

export function isPrivate(address: string): boolean {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  const plain = mapped ?? address;
  return OWN.check(plain, isIP(plain) === 6 ? 'ipv6' : 'ipv4');
}

async function resolved(host: string): Promise<readonly string[]> {
  try {
    return (await lookup(host, { all: true })).map(({ address }) => address);
  } catch (cause) {
    throw new EngineError('invalid_request', `${host} is no known name.`, { param: 'url', cause });
  }
}
