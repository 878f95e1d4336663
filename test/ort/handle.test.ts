import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { NativeHandle } from '../../engine/ort/handle.ts';
import { OrtError } from '../../engine/ort/index.ts';

test('a native object is freed once, when it is disposed and unused, in whatever order that comes about', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('retain', 'release', 'dispose'), { maxLength: 30 }), (steps) => {
      let freed = 0;
      let users = 0;
      let disposed = false;
      const handle = new NativeHandle('thing', 1n, () => freed++);
      for (const step of steps) {
        if (step === 'retain' && disposed) expect(() => handle.retain()).toThrow(OrtError);
        if (step === 'retain' && !disposed) users += handle.retain() === 1n ? 1 : 0;
        if (step === 'release' && users > 0) handle.release();
        if (step === 'release' && users > 0) users--;
        if (step === 'dispose') handle.dispose();
        disposed ||= step === 'dispose';
        expect(freed).toBe(disposed && users === 0 ? 1 : 0);
      }
    }),
  );
});
