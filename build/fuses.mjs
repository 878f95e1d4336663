// Sets Electron's fuses after packaging: what the program must never do is switched off in its binary.
// https://www.electronjs.org/docs/latest/tutorial/fuses
import { flipFuses, FuseV1Options, FuseVersion } from '@electron/fuses';
import { join } from 'node:path';

export const FUSES = {
  // The program cannot be used as a Node with the app's rights; runners are utility processes.
  [FuseV1Options.RunAsNode]: false,
  [FuseV1Options.EnableNodeOptionsEnvironmentVariable]: false,
  [FuseV1Options.EnableNodeCliInspectArguments]: false,
  [FuseV1Options.EnableCookieEncryption]: true,
  [FuseV1Options.EnableEmbeddedAsarIntegrityValidation]: true,
  [FuseV1Options.OnlyLoadAppFromAsar]: true,
  [FuseV1Options.LoadBrowserProcessSpecificV8Snapshot]: false,
  // The page is `app://`: files need no rights of their own.
  [FuseV1Options.GrantFileProtocolExtraPrivileges]: false,
  [FuseV1Options.WasmTrapHandlers]: true,
};

/** electron-builder's hook. */
export async function afterPack(context) {
  const { electronPlatformName, appOutDir, packager } = context;
  await setFuses(programPath(electronPlatformName, appOutDir, packager), electronPlatformName === 'darwin');
}

/** Sets every fuse; fails when Electron has one that the table above does not decide. */
export async function setFuses(program, isMac) {
  await flipFuses(program, {
    version: FuseVersion.V1,
    strictlyRequireAllFuses: true,
    resetAdHocDarwinSignature: isMac,
    ...FUSES,
  });
}

/** The file that @electron/fuses changes, by platform. */
export function programPath(platform, appOutDir, packager) {
  const { productFilename } = packager.appInfo;
  if (platform === 'darwin') return join(appOutDir, `${productFilename}.app`);
  return join(appOutDir, platform === 'win32' ? `${productFilename}.exe` : packager.executableName);
}
