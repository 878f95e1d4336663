// Owns the flags of `millrace router`; what they do is in router.ts, imported when it is called.
import { InvalidArgumentError, Option, type Command } from 'commander';
import { OPTIONS, readConfig, type EngineConfig, type OptionName } from '../config.ts';

type CommonFlags = Readonly<Partial<Record<'dataDir' | 'threads', string>>> & { readonly json: boolean };

/** The server's own default. */
const DEFAULT_BAR = 0.95;

const COMMON = ['dataDir', 'threads'] as const satisfies readonly OptionName[];
const GRADED_FORM = `
FILE holds one JSON object a line: prompt, weak, strong (true, false or 0 to 1: how right the weak and the strong model were), and
where known benchmark and subject (texts), turns and tools (counts) and schema (true when a JSON schema was asked for).`;

export function addRouter(program: Command): void {
  const router = program.command('router').description('score, train and replay the router that tells easy prompts from hard ones');
  addEval(router);
  addTrain(router);
  addReplay(router);
}

function addEval(router: Command): void {
  const command = router.command('eval').description('score the router on graded prompts: APGR, CPT(50), CPT(80), strong share at 95%');
  common(command)
    .option('--model <file>', "a router's model file; without it the one that is shipped")
    .option('--embed', 'with embeddings; fails when their model is not installed')
    .option('--no-embed', 'by surface features alone; without either flag embeddings are used when their model is installed')
    .addHelpText(
      'after',
      `${GRADED_FORM}

Examples:
  millrace router eval graded.jsonl
  millrace router eval graded.jsonl --model router.json --no-embed --json
The figures are defined in RouteLLM, arXiv 2406.18665. Prices are taken as 1 : 20.`,
    )
    .action(async (file: string, flags: CommonFlags & { readonly model?: string; readonly embed?: boolean }) => {
      const { evaluate } = await import('./router.ts');
      await evaluate(file, { model: flags.model ?? null, embed: flags.embed ?? null, json: flags.json }, configOf(flags));
    });
}

interface TrainOptions extends CommonFlags {
  readonly out: string;
  readonly embed: boolean;
  readonly seed: number;
  readonly seeds: number;
  readonly source: string;
  readonly licence: string;
}

function addTrain(router: Command): void {
  const command = router.command('train').description('train a router on graded prompts, after validating it on subjects left out');
  common(command)
    .option('--out <file>', 'where to write the model', 'router.json')
    .option('--embed', 'learn from embeddings too; their model must be installed', false)
    .option('--seed <number>', 'makes the training reproducible', positiveNumber, 1)
    .option('--seeds <number>', 'how often validation is repeated, each time with other folds', positiveNumber, 5)
    .option('--source <text>', "the data's name, for the record in the model file", 'graded traffic')
    .option('--licence <text>', "the data's licence, for the same", 'own')
    .addHelpText(
      'after',
      `${GRADED_FORM}

Examples:
  millrace router train graded.jsonl --out router.json
  millrace router train graded.jsonl --embed --seeds 10`,
    )
    .action(async (file: string, flags: TrainOptions) => {
      const { train } = await import('./router.ts');
      await train(file, flags, configOf(flags));
    });
}

interface ReplayOptions {
  readonly model?: string;
  readonly bar: number;
  readonly seed: number;
  readonly json: boolean;
}

function addReplay(router: Command): void {
  router
    .command('replay')
    .description('send graded prompts through the gateway as model auto: what routing saves, and what it keeps of the strong model')
    .argument('<file>', 'graded prompts (see below)')
    .option('--model <file>', "a router's model file; without it the one that is shipped")
    .option('--bar <share>', 'quality bar: share of the strong model’s right answers to keep', shareOf, DEFAULT_BAR)
    .option('--seed <number>', 'order of the prompts', positiveNumber, 1)
    .option('--json', 'print the figures as JSON', false)
    .addHelpText(
      'after',
      `${GRADED_FORM}

Two targets answer as right as the grades say, at prices of 1 : 20; no model runs. Only prompts that the router was not trained on tell
how it does on others.

Examples:
  millrace router replay graded.jsonl
  millrace router replay graded.jsonl --model router.json --bar 0.98 --json`,
    )
    .action(async (file: string, { model, ...flags }: ReplayOptions) => {
      const { replay } = await import('./router-replay.ts');
      await replay(file, { model: model ?? null, ...flags });
    });
}

function common(command: Command): Command {
  command.argument('<file>', 'graded prompts (see below)');
  for (const name of COMMON) command.addOption(new Option(OPTIONS[name].flag, OPTIONS[name].help));
  return command.option('--json', 'print the figures as JSON', false);
}

function configOf(flags: CommonFlags): EngineConfig {
  const { dataDir, threads } = flags;
  return readConfig({ ...(dataDir === undefined ? {} : { dataDir }), ...(threads === undefined ? {} : { threads }) }, process.env);
}

function shareOf(value: string): number {
  const share = Number(value);
  if (value.trim() === '' || !(share >= 0 && share <= 1)) throw new InvalidArgumentError('It must be a number from 0 to 1.');
  return share;
}

function positiveNumber(value: string): number {
  if (!/^[1-9]\d{0,8}$/.test(value)) throw new InvalidArgumentError('It must be a whole number from 1.');
  return Number(value);
}
