// What of a process's mappings counts as weights.
import { expect, test } from 'vitest';
import { weightBytes } from './machine.ts';

const SMAPS = `55d0-55ff rw-p 00000000 00:00 0                          [heap]
Rss:                 900 kB
Pss:                 800 kB
Pss_Dirty:           700 kB
7f00-7f10 r--p 00000000 08:01 42                         /data/models/some model/int8/weights.bin
Rss:                  64 kB
Pss:                  50 kB
7f20-7f30 rw-p 00000000 00:00 0
Rss:                  32 kB
Pss:                  32 kB
7f40-7f50 r--p 00000000 08:01 43                         /lib/libweights.so
Pss:                   7 kB
`;

test('the C heap and the mapped weights, each at its proportional share', () => {
  expect(weightBytes(SMAPS)).toBe(850 * 1024);
  expect(weightBytes('')).toBe(0);
});
