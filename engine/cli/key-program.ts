// Owns the flags of `millrace key`; what they do is in key.ts, imported when it is called.
import { Option, type Command } from 'commander';
import { OPTIONS, readConfig } from '../config.ts';
import { ENDPOINT_SCOPES, PRIORITIES } from '../contract.ts';
import type { KeyFlags } from './key.ts';

interface CommonFlags {
  readonly dataDir?: string;
  readonly json?: boolean;
}

const dataDirOf = ({ dataDir }: CommonFlags): string => readConfig(dataDir === undefined ? {} : { dataDir }, process.env).dataDir;

export function addKey(program: Command): void {
  const key = program
    .command('key')
    .description('make, list, rotate and revoke API keys; needed to listen beyond this machine')
    .addHelpText(
      'after',
      `
Examples:
  millrace key create --tenant alice
  millrace key create --tenant ci --scopes chat,embeddings --models my-model --rpm 60 --priority batch --expires 90d
  millrace key create --tenant me --scopes admin        may use the console from other machines
  millrace key rotate ID --grace 1h
A server that runs on the same data folder follows within a second. Keys are kept as hashes; each is shown once.`,
    );
  addCreate(key);
  addChanges(key);
}

function addCreate(key: Command): void {
  const command = key.command('create').description('make a key and print it').requiredOption('--tenant <name>', 'whose key it is');
  common(command)
    .option(
      '--scopes <names>',
      `what it is for, with commas: ${ENDPOINT_SCOPES.join(', ')}, admin; without: the whole API, not the console`,
    )
    .option('--models <names>', 'models it may use, with commas; without: all')
    .option('--expires <span>', 'when it stops working, such as 30d; without: never')
    .option('--rpm <number>', 'requests a minute')
    .option('--tpm <number>', 'tokens a minute, of prompts and answers')
    .option('--concurrency <number>', 'requests under way at once')
    .option('--daily-usd <amount>', 'money for upstream models in a day of UTC')
    .option('--monthly-usd <amount>', 'the same in a month')
    .option('--count-local-cost', 'budgets count what this machine costs too', false)
    .option('--priority <class>', `${PRIORITIES.join(', ')}; without: normal`)
    .action(async (flags: CommonFlags & KeyFlags) => {
      const { createKey } = await import('./key.ts');
      await createKey(dataDirOf(flags), flags, flags.json === true);
    });
}

function addChanges(key: Command): void {
  common(key.command('list').alias('ls').description('list the keys, without their secrets')).action(async (flags: CommonFlags) => {
    const { listKeys } = await import('./key.ts');
    listKeys(dataDirOf(flags), flags.json === true);
  });
  common(key.command('rotate').argument('<id>', 'of the key').description('replace the secret of a key and print the new one'))
    .option('--grace <span>', 'how long the old one still works; 0s: not at all', '24h')
    .action(async (id: string, flags: CommonFlags & { readonly grace: string }) => {
      const { rotateKey } = await import('./key.ts');
      await rotateKey(dataDirOf(flags), id, { grace: flags.grace, json: flags.json === true });
    });
  common(key.command('revoke').argument('<id>', 'of the key').description('refuse a key from now on')).action(
    async (id: string, flags: CommonFlags) => {
      const { revokeKey } = await import('./key.ts');
      await revokeKey(dataDirOf(flags), id, flags.json === true);
    },
  );
}

function common(command: Command): Command {
  return command.addOption(new Option(OPTIONS.dataDir.flag, OPTIONS.dataDir.help)).option('--json', 'print JSON', false);
}
