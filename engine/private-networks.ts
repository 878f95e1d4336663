// Which addresses belong to no public network. Facts alone, for all who must tell the user's own network from the rest.

/** Private networks, shared and link-local addresses and the machine itself: RFC 1918, 3927, 6598, 4193 and 4291. */
export const PRIVATE_NETWORKS: readonly (readonly [address: string, bits: number])[] = [
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['100.64.0.0', 10],
  ['169.254.0.0', 16],
  ['127.0.0.0', 8],
  ['fc00::', 7],
  ['fe80::', 10],
  ['::1', 128],
];
