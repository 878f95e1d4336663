// Owns the promise that our authority makes: it vouches for names and addresses of local networks alone (RFC 5280, section 4.2.1.10).
// So a device that trusts it trusts nobody with a public site, whatever becomes of its key. Pure.
import { isIP } from 'node:net';
import { PRIVATE_NETWORKS } from '../../private-networks.ts';

export const NAME_CONSTRAINTS_OID = '2.5.29.30';

/** Names that no public registry gives to anybody: RFC 6762, 6761 and 8375, and ICANN's `internal`. */
const DOMAINS = ['local', 'localhost', 'lan', 'home.arpa', 'internal'];

const SEQUENCE = 0x30;
const PERMITTED = 0xa0;
const DNS_NAME = 0x82;
const IP_ADDRESS = 0x87;

/** The extension's value in DER. A name without a dot is a name of the local network too: `hostName` is permitted with the others. */
export function nameConstraints(hostName: string): Uint8Array<ArrayBuffer> {
  const names = [...DOMAINS, hostName].map((name) => subtree(DNS_NAME, Buffer.from(name, 'ascii')));
  const networks = PRIVATE_NETWORKS.map(([address, bits]) =>
    subtree(IP_ADDRESS, Buffer.concat([addressBytes(address), maskBytes(address, bits)])),
  );
  return new Uint8Array(der(SEQUENCE, der(PERMITTED, Buffer.concat([...names, ...networks]))));
}

/** Whether a certificate of ours may name this. */
export function isPermitted(name: string, hostName: string): boolean {
  if (isIP(name) !== 0) return PRIVATE_NETWORKS.some(([network, bits]) => isWithin(name, network, bits));
  return name === hostName || DOMAINS.some((domain) => name === domain || name.endsWith(`.${domain}`));
}

/** The 4 or 16 bytes of an address. */
export function addressBytes(address: string): Buffer {
  if (isIP(address) === 4) return Buffer.from(address.split('.').map(Number));
  const [head = '', tail] = (address.split('%')[0] ?? '').split('::');
  const groups = (text: string | undefined): readonly string[] => (text === undefined || text === '' ? [] : text.split(':'));
  const [before, after] = [groups(head), groups(tail)];
  const zeros = tail === undefined ? [] : Array.from({ length: 8 - before.length - after.length }, () => '0');
  return Buffer.from([...before, ...zeros, ...after].flatMap((group) => [parseInt(group, 16) >> 8, parseInt(group, 16) & 0xff]));
}

function isWithin(address: string, network: string, bits: number): boolean {
  if (isIP(address) !== isIP(network)) return false;
  const [mask, given, wanted] = [maskBytes(network, bits), addressBytes(address), addressBytes(network)];
  return wanted.every((byte, at) => ((given[at] ?? 0) & (mask[at] ?? 0)) === byte);
}

function maskBytes(address: string, bits: number): Buffer {
  const length = isIP(address) === 4 ? 4 : 16;
  return Buffer.from(Array.from({ length }, (_, at) => (0xff00 >> Math.min(8, Math.max(0, bits - at * 8))) & 0xff));
}

function subtree(tag: number, value: Buffer): Buffer {
  return der(SEQUENCE, der(tag, value));
}

/** Tag, length and value (X.690, section 8.1). */
function der(tag: number, value: Buffer): Buffer {
  const { length } = value;
  const head = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...head]), value]);
}
