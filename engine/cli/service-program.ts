// Owns the flags of `millrace service`; what it does is in service.ts, imported when it is called.
import { Option, type Command } from 'commander';
import { OPTIONS, readConfig, type EngineConfig, type OptionName } from '../config.ts';

type Flags = Readonly<Record<string, string | boolean | undefined>>;

const SERVE_OPTIONS = Object.keys(OPTIONS) as OptionName[];

export function addService(program: Command, outcome: { code: number }): void {
  const service = program.command('service').description('run the server as a service: systemd, launchd or a scheduled task');
  common(service.command('install').description('install and start it; flags of `millrace serve` are kept for it'))
    .option('--print', 'print the file and change nothing', false)
    .addHelpText('after', '\nExample: millrace service install --port 8080 --require-key on\nRun it again to change its flags.')
    .action(async (flags: Flags) => {
      const { installService } = await import('./service.ts');
      const { config, wish } = read(flags);
      installService(config, wish, flags['print'] === true);
    });
  common(service.command('uninstall').description('stop and remove it; models and state stay')).action(async (flags: Flags) => {
    const { uninstallService } = await import('./service.ts');
    const { config, wish } = read(flags);
    uninstallService(config, wish);
  });
  common(service.command('status').description('tell whether it is installed and runs'))
    .option('--json', 'print JSON', false)
    .addHelpText('after', '\nExit codes: 0 it runs, 1 it does not.')
    .action(async (flags: Flags) => {
      const { tellService } = await import('./service.ts');
      const { config, wish } = read(flags);
      outcome.code = tellService(config, wish, flags['json'] === true);
    });
}

function common(command: Command): Command {
  for (const name of SERVE_OPTIONS) command.addOption(new Option(OPTIONS[name].flag, OPTIONS[name].help));
  return command.option('--system', 'for the whole machine, from its start on, with the rights of the user who installs it', false);
}

/** Flags are checked as `serve` would check them, before anything is written. */
function read(flags: Flags): { config: EngineConfig; wish: { system: boolean; serveArgs: readonly string[] } } {
  const given = SERVE_OPTIONS.flatMap((name): readonly [OptionName, string][] => {
    const value = flags[new Option(OPTIONS[name].flag).attributeName()];
    return value === true ? [[name, 'on']] : typeof value === 'string' ? [[name, value]] : [];
  });
  const config = readConfig(Object.fromEntries(given) as Partial<Record<OptionName, string>>, process.env);
  const serveArgs = given.flatMap(([name, value]) => (name === 'dataDir' ? [] : [OPTIONS[name].flag.split(' ')[0] ?? '', value]));
  return { config, wish: { system: flags['system'] === true, serveArgs } };
}
