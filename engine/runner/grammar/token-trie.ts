// The tokens of a vocabulary as a tree of bytes, laid out in the order of a walk, so that a subtree is skipped by one jump.
// Plain arrays: it is built in one thread and used in another.

export interface TokenTrie {
  /** [nodes] the byte that leads to each node. */
  readonly bytes: Uint8Array;
  /** [nodes] bytes from the root, from 1. */
  readonly depths: Uint16Array;
  /** [nodes] the first node after the subtree. */
  readonly ends: Int32Array;
  /** [nodes] the token that ends here; -1: none. */
  readonly tokens: Int32Array;
  /** [vocab] the next token of the same bytes; -1: none. */
  readonly twins: Int32Array;
}

/** `texts` [vocab]: the bytes of each token; tokens without any are in no tree. */
export function buildTrie(texts: readonly Uint8Array[]): TokenTrie {
  const order = sorted(texts);
  const most = order.reduce((sum, { key }) => sum + key.length, 0);
  const [bytes, depths, tokens] = [new Uint8Array(most), new Uint16Array(most), new Int32Array(most).fill(-1)];
  const twins = new Int32Array(texts.length).fill(-1);
  let size = 0;
  let before = '';
  for (const { key, token } of order) {
    for (let depth = sharedLength(before, key); depth < key.length; depth++) {
      bytes[size] = key.charCodeAt(depth);
      depths[size++] = depth + 1;
    }
    twins[token] = tokens[size - 1] ?? -1;
    tokens[size - 1] = token;
    before = key;
  }
  const nodes = depths.slice(0, size);
  return { bytes: bytes.slice(0, size), depths: nodes, ends: endsOf(nodes), tokens: tokens.slice(0, size), twins };
}

/** Bytes as characters of the same number: strings are compared many times as fast as arrays. */
function sorted(texts: readonly Uint8Array[]): { key: string; token: number }[] {
  const keys = texts.map((text) => Buffer.from(text.buffer, text.byteOffset, text.byteLength).toString('latin1'));
  const order = keys.map((key, token) => ({ key, token })).filter(({ key }) => key !== '');
  return order.sort((x, y) => (x.key < y.key ? -1 : x.key > y.key ? 1 : x.token - y.token));
}

function sharedLength(a: string, b: string): number {
  let length = 0;
  while (length < a.length && length < b.length && a.charCodeAt(length) === b.charCodeAt(length)) length++;
  return length;
}

function endsOf(depths: Uint16Array): Int32Array {
  const ends = new Int32Array(depths.length);
  /** By depth: the first later node that is not deeper. */
  const open: number[] = [];
  for (let node = depths.length - 1; node >= 0; node--) {
    const depth = depths[node] ?? 0;
    let end = depths.length;
    for (let level = 1; level <= depth; level++) end = Math.min(end, open[level] ?? depths.length);
    ends[node] = end;
    open[depth] = node;
    open.length = depth + 1;
  }
  return ends;
}
