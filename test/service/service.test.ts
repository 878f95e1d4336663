// The files of services as each system reads them: systemd's own check, XML parsed, and words that need quoting.
import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it, vi } from 'vitest';
import { launchdPlist, systemdUnit, windowsTask } from '../../engine/service/service-files.ts';
import { planService } from '../../engine/service/service-plan.ts';

vi.setConfig({ testTimeout: 60_000 });
const run = promisify(execFile);
const CLI = join(import.meta.dirname, '..', '..', 'engine', 'cli.ts');
const HOSTILE = String.raw`/data/a "b" 100%h $HOME \n <&>`;
const spec = { command: [process.execPath, 'serve', '--data-dir', HOSTILE], user: null, drainSeconds: 30, logFile: '/logs/a&b.log' };
const place = { home: '/home/me', userId: 501, dataDir: String.raw`C:\data` };
const HAS_SYSTEMD = spawnSync('systemd-analyze', ['--version']).status === 0;

/** Text of the first element of this name, with its references resolved. */
function textOf(xml: string, name: string): string {
  const [, inner = ''] = new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml) ?? [];
  return inner.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
}

describe('the file of a service', () => {
  it.runIf(HAS_SYSTEMD)("passes systemd's own check", async () => {
    const folder = await mkdtemp(join(tmpdir(), 'millrace-unit-'));
    try {
      for (const user of [null, 'root']) {
        const path = join(folder, 'millrace.service');
        await writeFile(path, systemdUnit({ ...spec, user }));
        const { stderr } = await run('systemd-analyze', ['verify', path], { encoding: 'utf8' }).catch((cause: { stderr: string }) => cause);
        expect(stderr.split('\n').filter((line) => line.includes('millrace.service'))).toEqual([]);
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('hands every word on as it is', () => {
    expect(systemdUnit(spec)).toContain(String.raw`"/data/a \"b\" 100%%h $$HOME \\n <&>"`);
    const strings = [...launchdPlist(spec).matchAll(/<string>[^<]*<\/string>/g)].map(([element]) => textOf(element, 'string'));
    expect(strings).toEqual(['app.millrace.server', ...spec.command, spec.logFile]);
    expect(textOf(windowsTask(spec), 'Arguments')).toContain(String.raw`"/data/a \"b\" 100%h $HOME \n <&>"`);
    expect(textOf(windowsTask({ ...spec, command: ['p', 'C:\\a b\\'] }), 'Arguments')).toBe(String.raw`"C:\a b\\"`);
  });

  it('gives running requests their time before it ends the server', () => {
    expect(systemdUnit(spec)).toContain('TimeoutStopSec=45');
    expect(launchdPlist(spec)).toMatch(/<key>ExitTimeOut<\/key>\s*<integer>45</);
  });

  it('lies where its manager looks, for a user and for the machine', () => {
    const paths = (platform: NodeJS.Platform) => [null, 'me'].map((user) => planService({ ...spec, user }, { ...place, platform }).path);
    expect(paths('linux')).toEqual(['/home/me/.config/systemd/user/millrace.service', '/etc/systemd/system/millrace.service']);
    expect(paths('darwin')).toEqual([
      '/home/me/Library/LaunchAgents/app.millrace.server.plist',
      '/Library/LaunchDaemons/app.millrace.server.plist',
    ]);
    expect(() => paths('aix')).toThrow(/aix are not known/);
  });

  it('keeps the flags of serve, checked, and changes nothing when it only prints', async () => {
    const { stdout } = await run(process.execPath, [CLI, 'service', 'install', '--print', '--port', '8080', '--require-key'], {
      encoding: 'utf8',
    });
    expect(stdout).toContain('"--port" "8080" "--require-key" "on"');
    const refused = await run(process.execPath, [CLI, 'service', 'install', '--print', '--port', 'x']).catch((cause: object) => cause);
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('--port must be') as string });
  });
});
