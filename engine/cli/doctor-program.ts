// Owns the flags of `millrace doctor`; what it does is in doctor.ts, imported when it is called.
import { Option, type Command } from 'commander';
import { OPTIONS, readConfig } from '../config.ts';

interface Flags {
  readonly dataDir?: string;
  readonly json: boolean;
  readonly drill: boolean;
  readonly force: boolean;
  readonly key?: string;
}

export function addDoctor(program: Command, outcome: { code: number }): void {
  program
    .command('doctor')
    .description('judge the running server by ten points, or drill it')
    .addOption(new Option(OPTIONS.dataDir.flag, OPTIONS.dataDir.help))
    .option('--drill', "kill a model's process, fill its queue, cut an upstream, and tell what users would have seen", false)
    .option('--force', 'drill although requests are being answered', false)
    .option('--key <key>', 'API key of an administrator, where the server asks for one')
    .option('--json', 'print the whole answer as JSON', false)
    .addHelpText('after', '\nExit codes: 0 no point is bad (or the drill passed), 1 one is (or it failed).')
    .action(async ({ dataDir, json, drill, force, key }: Flags) => {
      const { doctor } = await import('./doctor.ts');
      const config = readConfig(dataDir === undefined ? {} : { dataDir }, process.env);
      outcome.code = await doctor(config.dataDir, { json, drill, force, key: key ?? process.env['MILLRACE_KEY'] ?? null });
    });
}
