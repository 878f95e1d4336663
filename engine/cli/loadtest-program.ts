// Owns the flags of `millrace loadtest`; what it does is in loadtest.ts, imported when it is called.
import { InvalidArgumentError, Option, type Command } from 'commander';
import { OPTIONS, readConfig } from '../config.ts';
import type { LoadFactor, LoadProfile } from '../contract.ts';

interface Flags {
  readonly dataDir?: string;
  readonly factor: LoadFactor;
  readonly profile: LoadProfile['kind'];
  readonly minutes: number;
  readonly seconds?: number;
  readonly rate: number;
  readonly promptTokens: number;
  readonly answerTokens: number;
  readonly model?: string;
  readonly url?: string;
  readonly public: boolean;
  readonly yes: boolean;
  readonly key?: string;
  readonly html?: string;
  readonly json: boolean;
}

export function addLoadTest(program: Command, outcome: { code: number }): void {
  program
    .command('loadtest')
    .description('send the recorded peak again, at once, twice or four times, and judge how the server held')
    .addOption(new Option(OPTIONS.dataDir.flag, OPTIONS.dataDir.help))
    .addOption(new Option('--factor <times>', 'how many times the load').choices(['1', '2', '4']).default(2).argParser(factor))
    .addOption(
      new Option('--profile <kind>', 'what is sent: the recorded peak, random arrivals, or those with bursts of ten times as many')
        .choices(['recorded', 'poisson', 'bursts'])
        .default('recorded'),
    )
    .option('--minutes <number>', 'how long it sends, 0.1 to 60', positive, 5)
    .option('--seconds <number>', 'the same in seconds', positive)
    .option('--rate <per second>', 'requests a second, before the factor, of poisson and bursts', positive, 1)
    .option('--prompt-tokens <number>', 'length of their prompts', positive, 200)
    .option('--answer-tokens <number>', 'length of their answers', positive, 100)
    .option('--model <model>', 'the model to ask instead of those recorded')
    .option('--url <address>', 'another server with an OpenAI API, on your own network')
    .option('--public', 'the address may be on the internet: it is yours', false)
    .option('--yes', 'do not ask before another server is sent the load', false)
    .option('--key <key>', 'API key, where the server asks for one; or MILLRACE_KEY')
    .option('--html <file>', 'write the report as a page too')
    .option('--json', 'print the report as JSON', false)
    .addHelpText(
      'after',
      `
Examples:
  millrace loadtest                                      twice the recorded peak, five minutes
  millrace loadtest --factor 4 --minutes 2 --html report.html
  millrace loadtest --profile poisson --rate 3 --seconds 60 --model my-model
  millrace loadtest --profile bursts --rate 1 --model m --url http://192.168.1.20:8000
Texts are synthetic, of the recorded lengths. Exit codes: 0 passed, 1 failed or not decided.`,
    )
    .action(async (flags: Flags) => {
      const { loadTest } = await import('./loadtest.ts');
      const config = readConfig(flags.dataDir === undefined ? {} : { dataDir: flags.dataDir }, process.env);
      const { url = null, model = null, key = process.env['MILLRACE_KEY'] ?? null } = flags;
      const minutes = flags.seconds === undefined ? flags.minutes : flags.seconds / 60;
      const request = { profile: profileOf(flags), factor: flags.factor, minutes, url, model, key };
      const { json, html = null, yes, public: isPublic } = flags;
      outcome.code = await loadTest(config.dataDir, request, { json, html, yes, public: isPublic });
    });
}

function profileOf({ profile, model = '', rate, promptTokens, answerTokens }: Flags): LoadProfile {
  return profile === 'recorded' ? { kind: profile } : { kind: profile, model, perSecond: rate, promptTokens, answerTokens };
}

function factor(value: string): LoadFactor {
  if (value === '1') return 1;
  if (value === '2') return 2;
  if (value === '4') return 4;
  throw new InvalidArgumentError('It must be 1, 2 or 4.');
}

function positive(value: string): number {
  const parsed = Number(value);
  if (!(parsed > 0) || !Number.isFinite(parsed)) throw new InvalidArgumentError('It must be more than 0.');
  return parsed;
}
