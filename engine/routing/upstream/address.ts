// Decides which addresses an upstream may have. Pure.
// NOTE: users set upstreams, and boxes of the LAN and of this machine are good ones; what is never one is the address at which clouds hand
// out the machine's own credentials, and whatever is no address of a single machine.
import { BlockList, isIP } from 'node:net';

const REFUSED = new BlockList();
REFUSED.addSubnet('169.254.0.0', 16);
REFUSED.addSubnet('0.0.0.0', 8);
REFUSED.addSubnet('224.0.0.0', 3);
REFUSED.addSubnet('fe80::', 10, 'ipv6');
REFUSED.addSubnet('ff00::', 8, 'ipv6');
REFUSED.addAddress('::', 'ipv6');
REFUSED.addAddress('fd00:ec2::254', 'ipv6');
REFUSED.addAddress('100.100.100.200');
REFUSED.addAddress('168.63.129.16');

/** Whether an upstream may be at this IP address; mapped IPv4 addresses are judged as what they are. */
export function isAllowedAddress(address: string): boolean {
  const plain = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address;
  const family = isIP(plain);
  return family !== 0 && !REFUSED.check(plain, family === 6 ? 'ipv6' : 'ipv4');
}

export type UpstreamAddress = { readonly kind: 'address'; readonly url: URL } | { readonly kind: 'refused'; readonly reason: string };

/** The address of a path under a base address. */
export function addressOf(baseUrl: string, path: string): UpstreamAddress {
  const url = URL.parse(baseUrl.replace(/\/+$/, '') + path);
  if (url === null) return { kind: 'refused', reason: 'it is no address' };
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return { kind: 'refused', reason: 'it is neither http nor https' };
  if (url.username !== '' || url.password !== '') return { kind: 'refused', reason: 'it holds a name or password' };
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (isIP(host) !== 0 && !isAllowedAddress(host)) return { kind: 'refused', reason: `${host} is no address of an upstream` };
  return { kind: 'address', url };
}
