import { access } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { OrtError } from '../../engine/ort/index.ts';
import { onnxRuntimeLibraryPath } from '../../engine/ort/library_path.ts';

const installed = dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json'));

describe('the library path', () => {
  test.each([
    ['linux', 'x64'],
    ['linux', 'arm64'],
    ['darwin', 'arm64'],
    ['win32', 'x64'],
    ['win32', 'arm64'],
  ])('is a file of the installed package on %s %s', async (platform, arch) => {
    await access(onnxRuntimeLibraryPath({ platform, arch, libc: 'glibc', packageDir: installed }));
  });

  test.each([
    ['darwin', 'x64', 'glibc', /Intel Macs/],
    ['linux', 'x64', 'musl', /musl/],
    ['linux', 'riscv64', 'glibc', /not built for linux on riscv64/],
    ['freebsd', 'x64', 'glibc', /not built for freebsd/],
  ] as const)('is refused in words on %s %s %s', (platform, arch, libc, reason) => {
    const locate = () => onnxRuntimeLibraryPath({ platform, arch, libc, packageDir: installed });
    expect(locate).toThrow(OrtError);
    expect(locate).toThrow(reason);
  });

  test('leads out of an Electron archive', () => {
    const packageDir = join('/opt', 'millrace', 'resources', 'app.asar', 'node_modules', 'onnxruntime-node');
    const path = onnxRuntimeLibraryPath({ platform: 'linux', arch: 'x64', libc: 'glibc', packageDir });
    expect(path).toContain(join('resources', 'app.asar.unpacked', 'node_modules'));
  });
});
