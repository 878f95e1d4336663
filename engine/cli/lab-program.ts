// Owns the flags of the commands about a model's variants: make, measure, list, promote, roll back. What they do is in quantise.ts and
// variants.ts, imported when they are called.
import { Option, type Command } from 'commander';
import { OPTIONS, readConfig, type EngineConfig } from '../config.ts';

interface CommonFlags {
  readonly dataDir?: string;
  readonly threads?: string;
  readonly json?: boolean;
}

const configOf = ({ dataDir, threads }: CommonFlags): EngineConfig =>
  readConfig({ ...(dataDir === undefined ? {} : { dataDir }), ...(threads === undefined ? {} : { threads }) }, process.env);

export function addLab(program: Command): void {
  addQuantise(program);
  addEvaluate(program);
  addVariants(program);
  addPromotion(program);
}

interface MeasuringFlags extends CommonFlags {
  readonly text?: string;
}

function addQuantise(program: Command): void {
  measuring(program.command('quantise').alias('quantize').argument('<model>', 'an installed model'))
    .description('make one more precision of an installed model, and measure what it costs beside float32')
    .requiredOption('--precision <name>', 'fp32, int8 or int4')
    .option('--anew', "int4: round a 4-bit file's weights anew, instead of keeping them exactly", false)
    .addHelpText(
      'after',
      `
Examples:
  millrace quantise my-model --precision int4
  millrace quantise my-model --precision int8 --text ./what-we-ask-it.txt
The files that the model was made from are fetched again, or read where they lie. The model goes on answering with the variant it had;
millrace promote switches it.`,
    )
    .action(async (model: string, flags: MeasuringFlags & { readonly precision: string; readonly anew: boolean }) => {
      const { quantise } = await import('./quantise.ts');
      const { precision, anew } = flags;
      await quantise(model, { precision, anew, text: flags.text ?? null, json: flags.json === true }, configOf(flags));
    });
}

function addEvaluate(program: Command): void {
  measuring(program.command('evaluate').argument('<model>', 'an installed model, or model:variant'))
    .description('measure a variant beside float32: memory, speed, perplexity or cosine')
    .action(async (model: string, flags: MeasuringFlags) => {
      const { evaluate } = await import('./quantise.ts');
      await evaluate(model, { text: flags.text ?? null, json: flags.json === true }, configOf(flags));
    });
}

function addVariants(program: Command): void {
  common(program.command('variants').argument('<model>', 'an installed model'))
    .description("list a model's variants with what was measured of each")
    .action(async (model: string, flags: CommonFlags) => {
      const { listVariants } = await import('./variants.ts');
      await listVariants(configOf(flags).dataDir, model, flags.json === true);
    });
}

function addPromotion(program: Command): void {
  common(program.command('promote').argument('<model:variant>', 'what shall answer to the plain name'))
    .description('let another variant answer; refused when it loses more than the settings allow')
    .option('--force', 'whatever was measured', false)
    .action(async (name: string, flags: CommonFlags & { readonly force: boolean }) => {
      const { promote } = await import('./variants.ts');
      await promote(configOf(flags).dataDir, name, { force: flags.force, json: flags.json === true });
    });
  common(program.command('rollback').argument('<model>', 'an installed model'))
    .description('let the variant answer that did before the last promotion')
    .action(async (model: string, flags: CommonFlags) => {
      const { rollBack } = await import('./variants.ts');
      await rollBack(configOf(flags).dataDir, model, flags.json === true);
    });
}

function common(command: Command): Command {
  return command
    .addOption(new Option(OPTIONS.dataDir.flag, OPTIONS.dataDir.help))
    .option('--json', 'print JSON; progress and errors are JSON lines on stderr', false);
}

function measuring(command: Command): Command {
  return common(command)
    .addOption(new Option(OPTIONS.threads.flag, OPTIONS.threads.help))
    .option('--text <file>', 'a text of your own to measure on as well; kept with the model for the next time');
}
