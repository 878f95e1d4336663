// Decides by which names and addresses others reach this machine. Pure; the operating system's lists are passed in.
import type { NetworkInterfaceInfo } from 'node:os';

/** What `os.networkInterfaces()` tells. */
export type Interfaces = Readonly<NodeJS.Dict<readonly NetworkInterfaceInfo[]>>;

/** Addresses beyond this machine itself, version 4 first; those of a single link are left out, since they need a zone. */
export function reachableAddresses(interfaces: Interfaces): readonly string[] {
  const all = Object.values(interfaces).flatMap((list) => list ?? []);
  const outer = all.filter(({ internal, address }) => !internal && !address.toLowerCase().startsWith('fe80:'));
  return outer.toSorted((a, b) => a.family.localeCompare(b.family)).map(({ address }) => address);
}

/** The machine's name as a label of DNS: lower case letters, digits and hyphens. */
export function labelOf(systemName: string): string {
  const [first = ''] = systemName.toLowerCase().split('.');
  const label = first
    .replaceAll(/[^a-z0-9-]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 50);
  return label === '' ? 'box' : label;
}

/** The name that is announced, without `.local`: one's own, so that it never stands against the system's announcement of its name. */
export function announcedName(systemName: string): string {
  return `millrace-${labelOf(systemName)}`;
}

/** Every name in the server's certificate, the announced one first. */
export function serverNames(systemName: string, addresses: readonly string[]): readonly string[] {
  const label = labelOf(systemName);
  const names = [`${announcedName(systemName)}.local`, `${label}.local`, label, 'localhost'];
  return [...new Set([...names, ...addresses, '127.0.0.1', '::1'])];
}
