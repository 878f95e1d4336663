// Owns the answer to "which file is ONNX Runtime on this machine?". Pure; touches no file.
import { join, sep } from 'node:path';
import { OrtError } from './ort_error.ts';

export interface LibraryLocation {
  /** `process.platform`. */
  readonly platform: string;
  /** `process.arch`. */
  readonly arch: string;
  /** The C library of a Linux system; ignored elsewhere. */
  readonly libc?: 'glibc' | 'musl';
  /** Folder of the npm package onnxruntime-node. */
  readonly packageDir: string;
}

/** File name of the library by platform, and the processors it is shipped for (onnxruntime-node 1.30, `bin/napi-v6`). */
const SHIPPED: Readonly<Record<string, { readonly file: string; readonly archs: readonly string[] }>> = {
  linux: { file: 'libonnxruntime.so.1', archs: ['x64', 'arm64'] },
  darwin: { file: 'libonnxruntime.1.dylib', archs: ['arm64'] },
  win32: { file: 'onnxruntime.dll', archs: ['x64', 'arm64'] },
};

/**
 * Absolute path of the shared library inside onnxruntime-node. A package inside an Electron archive (`app.asar`) is looked for in
 * `app.asar.unpacked`, since the system's loader cannot read archives.
 * @throws OrtError `PLATFORM` where no library is shipped: Intel Macs, musl Linux, other systems
 */
export function onnxRuntimeLibraryPath(location: LibraryLocation): string {
  const { platform, arch, libc, packageDir } = location;
  if (platform === 'darwin' && arch === 'x64') {
    throw new OrtError('PLATFORM', 'Intel Macs are not supported: ONNX Runtime is built for Apple silicon only.');
  }
  if (platform === 'linux' && libc === 'musl') {
    throw new OrtError(
      'PLATFORM',
      'Linux systems with musl (Alpine) are not supported: ONNX Runtime needs glibc. Use a Debian-based image.',
    );
  }
  const shipped = SHIPPED[platform];
  if (shipped === undefined || !shipped.archs.includes(arch)) {
    throw new OrtError('PLATFORM', `ONNX Runtime is not built for ${platform} on ${arch}.`);
  }
  return join(unpacked(packageDir), 'bin', 'napi-v6', platform, arch, shipped.file);
}

function unpacked(dir: string): string {
  return dir.replace(`app.asar${sep}`, `app.asar.unpacked${sep}`);
}
