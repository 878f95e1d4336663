import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { NativeMemory, OrtTensor } from '../../engine/ort/index.ts';
import { systemMemory } from '../../engine/ort/system_memory.ts';

const PAGE = systemMemory().pageBytes;
const MIB = 1 << 20;

describe('native memory', () => {
  test('costs what is touched, not what is reserved', () => {
    using memory = new NativeMemory(4096 * MIB);
    expect(memory.committedBytes()).toBe(0);
    memory.write(3000 * MIB, new Uint8Array(MIB).fill(1));
    expect(memory.committedBytes()).toBe(MIB);
  });

  test('behaves as one array of bytes under writes, copies and releases', () => {
    const bytes = 8 * PAGE;
    const range = fc.record({
      from: fc.nat(bytes - 1),
      to: fc.nat(bytes - 1),
      length: fc.nat(3 * PAGE),
      kind: fc.constantFrom('write', 'copy', 'release'),
      value: fc.integer({ min: 1, max: 255 }),
    });
    fc.assert(
      fc.property(fc.array(range, { maxLength: 12 }), (steps) => {
        using memory = new NativeMemory(bytes);
        const model = new Uint8Array(bytes);
        for (const { from, to, length, kind, value } of steps) {
          const count = Math.min(length, bytes - from, bytes - to);
          if (kind === 'write') memory.write(from, new Uint8Array(count).fill(value));
          if (kind === 'write') model.fill(value, from, from + count);
          if (kind === 'copy') memory.copy(from, to, count);
          if (kind === 'copy') model.copyWithin(to, from, from + count);
          if (kind === 'release') memory.release(from, count);
          // Only the pages that lie wholly inside lose their contents.
          if (kind === 'release')
            model.fill(0, Math.ceil(from / PAGE) * PAGE, Math.max(Math.ceil(from / PAGE), Math.floor((from + count) / PAGE)) * PAGE);
        }
        expect(Buffer.compare(memory.read(0, new Uint8Array(bytes)), model)).toBe(0);
      }),
      { numRuns: 60 },
    );
  });

  test('gives released pages back', () => {
    using memory = new NativeMemory(16 * MIB);
    memory.write(0, new Uint8Array(16 * MIB).fill(1));
    memory.release(MIB + 1, 4 * MIB);
    expect(memory.committedBytes()).toBe(12 * MIB + PAGE);
    memory.release(0, 16 * MIB);
    expect(memory.committedBytes()).toBe(0);
  });

  test('refuses what lies outside, and sizes that are none', () => {
    using memory = new NativeMemory(PAGE);
    const outside = { code: 'INVALID_ARGUMENT' };
    expect(() => memory.copy(0, 1, PAGE)).toThrow(expect.objectContaining(outside));
    expect(() => memory.release(-1, 1)).toThrow(expect.objectContaining(outside));
    expect(() => memory.read(PAGE, new Uint8Array(1))).toThrow(expect.objectContaining(outside));
    expect(() => OrtTensor.overMemory(memory, PAGE - 4, [2], 'float32')).toThrow(expect.objectContaining(outside));
    for (const bytes of [0, -1, 1.5, Number.NaN]) expect(() => new NativeMemory(bytes)).toThrow(RangeError);
    expect(() => new NativeMemory(2 ** 52)).toThrow(expect.objectContaining({ code: 'SYSTEM' }));
  });

  test('ends at dispose, but not under a tensor', () => {
    const memory = new NativeMemory(PAGE);
    const tensor = OrtTensor.overMemory(memory, 0, [4], 'float32');
    memory.dispose();
    memory.dispose();
    expect(() => memory.read(0, new Uint8Array(1))).toThrow(expect.objectContaining({ code: 'DISPOSED' }));
    tensor.dispose();
    expect(() => OrtTensor.overMemory(memory, 0, [1], 'float32')).toThrow(expect.objectContaining({ code: 'DISPOSED' }));
  });
});
