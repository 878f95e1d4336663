import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, matchesGlob, relative, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { compileFunction } from 'node:vm';
import { FuseV1Options, getCurrentFuseWire } from '@electron/fuses';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { appPaths } from '../../electron/paths.ts';

/** Marks the fuse wire in Electron's binary (https://www.electronjs.org/docs/latest/tutorial/fuses). */
const SENTINEL = 'dL7pKGdnNz796PbbjQWNKmHXBZaB9tsX';
const ROOT = fileURLToPath(new URL('../..', import.meta.url)).replace(/[\\/]$/, '');
const builder = readFileSync(join(ROOT, 'electron-builder.yml'), 'utf8');

/** A top-level list of the builder's file. */
function listOf(key: string): readonly string[] {
  const block = new RegExp(`^${key}:\\n((?: {2}.*\\n)+)`, 'm').exec(builder)?.[1] ?? '';
  return [...block.matchAll(/^ {2}- '?([^'\n]+)'?$/gm)].map(([, entry = '']) => entry);
}

/** Whether a file of the checkout is packed: the last pattern that speaks of it decides. Production packages are packed unless excluded. */
function isPacked(file: string): boolean {
  const expand = (pattern: string): string => pattern.replace('${platform}', process.platform).replace('${arch}', process.arch);
  return listOf('files').reduce((packed, pattern) => {
    if (pattern.startsWith('!')) return packed && !matchesGlob(file, expand(pattern.slice(1)));
    return packed || matchesGlob(file, expand(pattern));
  }, file.startsWith('node_modules/'));
}
const isOutside = (file: string): boolean => listOf('asarUnpack').some((pattern) => matchesGlob(file, pattern));
const inCheckout = (path: string): string => relative(ROOT, path).split(sep).join('/');

describe('the packaged files', () => {
  it('are where one function says they are', () => {
    const here = appPaths(ROOT);
    const archive = join(sep, 'opt', 'Millrace', 'resources', 'app.asar');
    const packaged = appPaths(archive);
    for (const key of ['engine', 'runner', 'pull', 'page', 'preload', 'trayIcon'] as const) {
      const file = inCheckout(here[key]) + (key === 'page' ? '/index.html' : '');
      if (key !== 'preload' && key !== 'page') expect(existsSync(join(ROOT, file)), file).toBe(true);
      expect(isPacked(file), file).toBe(true);
      const root = packaged[key].startsWith(`${archive}.unpacked${sep}`) ? `${archive}.unpacked` : archive;
      expect(inCheckout(here[key])).toBe(relative(root, packaged[key]).split(sep).join('/'));
      // What lies outside is read by other processes; what this process reads it finds in the archive, wherever it lies.
      if (root !== archive) expect(isOutside(file), file).toBe(true);
    }
    expect([packaged.engine, packaged.runner, packaged.pull].every((path) => path.includes('app.asar.unpacked'))).toBe(true);
  });

  it('hold every worker, native library and package outside the archive', async () => {
    const sources = (await readdir(join(ROOT, 'engine'), { recursive: true })).map((name) => `engine/${name.split(sep).join('/')}`);
    const workers = sources.filter((name) => name.endsWith('worker.ts'));
    expect(workers.length).toBeGreaterThan(1);
    const library = `node_modules/onnxruntime-node/bin/napi-v6/${process.platform}/${process.arch}/libonnxruntime.so.1`;
    for (const file of [
      ...workers,
      library,
      'package.json',
      'engine/ort/c_api_index.json',
      'node_modules/koffi/index.js',
      'node_modules/better-sqlite3/package.json',
      'node_modules/fastify/fastify.js',
      'renderer/dist/index.html',
    ]) {
      expect(isPacked(file), file).toBe(true);
      expect(isOutside(file), file).toBe(true);
    }
  });

  it('leave out another Node, other platforms’ libraries, tests and the shell’s sources', () => {
    const other = process.platform === 'win32' ? 'linux' : 'win32';
    for (const file of [
      `node_modules/onnxruntime-node/bin/napi-v6/${other}/x64/onnxruntime.dll`,
      'node_modules/node/bin/node',
      'test/served.ts',
      'electron/main.ts',
      'renderer/src/main.tsx',
      '.git/config',
    ])
      expect(isPacked(file), file).toBe(false);
    expect(isOutside('electron/dist/main.mjs')).toBe(false);
  });

  it('name files that exist: hook, icons, entitlements', () => {
    const named = [...builder.matchAll(/(?:afterPack|icon|entitlements|entitlementsInherit): (\S+)/g)].map(([, path = '']) => path);
    expect(named.length).toBe(6);
    for (const path of named) expect(existsSync(join(ROOT, path)), path).toBe(true);
    const entitlements = readFileSync(join(ROOT, 'build/deploy/macos/entitlements.plist'), 'utf8');
    expect(entitlements).toContain('com.apple.security.cs.disable-library-validation');
    expect(builder).toMatch(/target: dmg\n\s+arch: \[arm64\]/);
  });
});

/** What a script of build/ exports. */
async function script(name: string): Promise<Record<string, (...args: unknown[]) => Promise<void>>> {
  return (await import(pathToFileURL(join(ROOT, 'build', name)).href)) as Record<string, (...args: unknown[]) => Promise<void>>;
}

describe('the fuses', () => {
  let dir: string;
  beforeAll(async () => (dir = await mkdtemp(join(tmpdir(), 'fuses-'))));
  afterAll(() => rm(dir, { recursive: true }));

  /** A file with the fuse wire of an Electron binary: sentinel, version, length, one sign for each fuse. */
  async function binary(name: string, wire: string): Promise<string> {
    const path = join(dir, name);
    const head = Buffer.from([1, wire.length]);
    await writeFile(path, Buffer.concat([Buffer.alloc(5_000, 7), Buffer.from(SENTINEL), head, Buffer.from(wire), Buffer.alloc(5_000, 9)]));
    return path;
  }

  it('are set by the builder’s hook, and read back', async () => {
    const { afterPack } = await script('fuses.mjs');
    // Every fuse the other way round.
    const program = await binary('millrace', '101100110');
    await afterPack?.({
      electronPlatformName: 'linux',
      appOutDir: dir,
      packager: { appInfo: { productFilename: 'Millrace' }, executableName: 'millrace' },
    });
    const wire = await getCurrentFuseWire(program);
    const on = Object.entries(wire).filter(([key, state]) => key !== 'version' && state === 49);
    expect(on.map(([key]) => Number(key))).toEqual([
      FuseV1Options.EnableCookieEncryption,
      FuseV1Options.EnableEmbeddedAsarIntegrityValidation,
      FuseV1Options.OnlyLoadAppFromAsar,
      FuseV1Options.WasmTrapHandlers,
    ]);
    expect(wire[FuseV1Options.RunAsNode]).toBe(48);
  });

  it('leave none undecided: an Electron with one more fuse is refused', async () => {
    const { setFuses } = await script('fuses.mjs');
    const program = await binary('newer', '1011000100');
    await expect(setFuses?.(program, false)).rejects.toThrow();
  });

  it('are looked for in the file that each platform starts', async () => {
    const { programPath } = await script('fuses.mjs');
    const packager = { appInfo: { productFilename: 'Millrace' }, executableName: 'millrace' };
    const paths = ['linux', 'win32', 'darwin'].map((platform) => programPath?.(platform, '/out', packager) as unknown as string);
    expect(paths).toEqual([join('/out', 'millrace'), join('/out', 'Millrace.exe'), join('/out', 'Millrace.app')]);
  });
});

describe('the built shell', () => {
  let dir: string;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'shell-'));
    const { buildShell } = await script('desktop.mjs');
    await buildShell?.(dir);
  });
  afterAll(() => rm(dir, { recursive: true }));

  it('is two files: a preload that needs Electron alone, and a main file that needs Electron and Node', async () => {
    expect((await readdir(dir)).sort()).toEqual(['main.mjs', 'preload.cjs']);
    const preload = await readFile(join(dir, 'preload.cjs'), 'utf8');
    expect([...preload.matchAll(/require\(["'`]([^"'`]+)/g)].map(([, name]) => name)).toEqual(['electron']);
    expect(preload).not.toMatch(/^\s*(import|export)\b/m);
    const main = await readFile(join(dir, 'main.mjs'), 'utf8');
    const imports = [...main.matchAll(/^import .*?from ["']([^"']+)["']/gm)].map(([, name = '']) => name);
    expect(imports).toContain('electron');
    expect(imports.filter((name) => name !== 'electron' && !name.startsWith('node:'))).toEqual([]);
  });

  it('gives the page four calls and nothing of Electron', async () => {
    const preload = await readFile(join(dir, 'preload.cjs'), 'utf8');
    const exposed: Record<string, Record<string, (...args: unknown[]) => unknown>> = {};
    const invoked: unknown[][] = [];
    const heard = new Map<string, (event: object, value: unknown) => void>();
    const electron = {
      contextBridge: { exposeInMainWorld: (name: string, bridge: (typeof exposed)[string]) => (exposed[name] = bridge) },
      ipcRenderer: {
        invoke: async (...args: unknown[]) => void invoked.push(args),
        on: (channel: string, listener: (event: object, value: unknown) => void) => heard.set(channel, listener),
        removeListener: (channel: string) => heard.delete(channel),
      },
    };
    compileFunction(preload, ['require'])((name: string) => (name === 'electron' ? electron : expect.unreachable(name)));
    expect(Object.keys(exposed)).toEqual(['millraceShell']);
    const bridge = exposed.millraceShell ?? {};
    expect(Object.keys(bridge)).toEqual(['info', 'restartEngine', 'setOpenAtLogin', 'onEngine']);
    await bridge.info?.();
    await bridge.restartEngine?.();
    await bridge.setOpenAtLogin?.(true);
    expect(invoked).toEqual([['shell:info'], ['shell:restart-engine'], ['shell:open-at-login', true]]);
    const states: unknown[] = [];
    const stop = bridge.onEngine?.((state: unknown) => states.push(state)) as () => void;
    heard.get('shell:engine')?.({ sender: 'secret' }, { kind: 'starting' });
    stop();
    expect(states).toEqual([{ kind: 'starting' }]);
    expect(heard.size).toBe(0);
  });
});
