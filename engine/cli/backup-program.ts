// Owns the flags of `millrace backup` and `millrace restore`; what they do is in backup.ts, imported when they are called.
import { Option, type Command } from 'commander';
import { OPTIONS, readConfig } from '../config.ts';

interface Flags {
  readonly dataDir?: string;
  readonly json: boolean;
}

const dataDirOf = ({ dataDir }: Flags): string => readConfig(dataDir === undefined ? {} : { dataDir }, process.env).dataDir;

export function addBackup(program: Command): void {
  common(program.command('backup'))
    .argument('<folder>', 'a new folder')
    .description('copy settings, keys, history, batches and responses into a new folder; weights are not copied')
    .addHelpText('after', '\nA server that runs goes on. The folder holds keys: keep it where only you can read it.')
    .action(async (folder: string, flags: Flags) => {
      const { backup } = await import('./backup.ts');
      await backup(dataDirOf(flags), folder, flags.json);
    });
  common(program.command('restore'))
    .argument('<folder>', 'made by millrace backup')
    .description('put back what a backup holds; what is there now is moved aside')
    .addHelpText('after', '\nRefused while a server uses the data folder, and for a backup that is not whole. Weights stay.')
    .action(async (folder: string, flags: Flags) => {
      const { restore } = await import('./backup.ts');
      await restore(dataDirOf(flags), folder, flags.json);
    });
}

function common(command: Command): Command {
  return command.addOption(new Option(OPTIONS.dataDir.flag, OPTIONS.dataDir.help)).option('--json', 'print JSON', false);
}
