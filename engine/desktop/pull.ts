// `millrace pull`, `quantise` and `evaluate` as the desktop shell runs them. A utility process does not end by itself when nothing is left to do, so this ends it.
import { runCli } from '../cli/program.ts';

const code = await runCli(process.argv.slice(2), null);
process.stdout.write('', () => process.exit(code));
