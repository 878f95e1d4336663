// One stream with and without drafting by prompt look-up, on three named texts: speed over HTTP beside the peer's, the share of
// drafted tokens that were accepted, and how far the two ways write the same text.
import { type BenchContext, alternate, withServer } from '../context.ts';
import { type Figure, type FigureSpec, Figures, type Side } from '../figure.ts';
import { LoadGenerator } from '../load/generate.ts';
import type { Sample } from '../load/response.ts';
import { type RunnerAnswer, answerAll } from '../runner-answers.ts';
import { type RunningServer, type Target, llamaTarget, millraceTarget } from '../servers.ts';
import { TEXTS } from '../texts.ts';

export async function speculationPart(context: BenchContext): Promise<readonly Figure[]> {
  const figures = new Figures('speculation');
  await measureSpeeds(context, figures);
  await measureAcceptance(context, figures);
  return figures.list();
}

const tokensOf = (context: BenchContext): number => (context.smoke ? 8 : 256);

async function measureSpeeds(context: BenchContext, figures: Figures): Promise<void> {
  const { peer, files, shape } = context;
  using generator = new LoadGenerator();
  const targets: readonly (readonly [Side, string, Target])[] = [
    ['ours', 'off', millraceTarget(files.dataDir, files.int8Model, shape, { flags: ['--speculation', 'off'] })],
    ['ours', 'on', millraceTarget(files.dataDir, files.int8Model, shape, { flags: ['--speculation', 'on'] })],
    ...(peer === null || files.q8 === null ? [] : [['peer', 'off', llamaTarget(peer, files.q8, shape)] as const]),
  ];
  await alternate(context, peer === null ? ['ours'] : ['ours', 'peer'], async (side) => {
    for (const [of, drafting, target] of targets.filter(([owner]) => owner === side)) {
      await withServer(target, async (server) => {
        for (const { name, prompt } of TEXTS) {
          const speed = decodeSpeed(await ask(generator, server, { prompt, maxTokens: tokensOf(context) }));
          // The peer does not draft: its one figure stands beside both of ours.
          const rows = of === 'peer' ? ['off', 'on'] : [drafting];
          for (const row of rows) figures.add(side, speed, speedSpec(name, row));
        }
      });
    }
  });
}

function speedSpec(text: string, drafting: string): FigureSpec {
  // The floor at one stream may be met with speculation on the prose.
  const goal = text === 'prose' && drafting === 'on' ? { ratioGoal: 1.2 } : {};
  return { name: `${text}, one stream, drafting ${drafting} (peer Q8_0)`, unit: 'tok/s', better: 'higher', ...goal };
}

async function ask(generator: LoadGenerator, server: RunningServer, request: { prompt: string; maxTokens: number }): Promise<Sample> {
  const messages = [{ role: 'user', content: request.prompt }];
  const options = {
    max_tokens: request.maxTokens,
    temperature: 0,
    ignore_eos: true,
    stream: true,
    stream_options: { include_usage: true },
  };
  const bodies = [JSON.stringify({ model: server.model, messages, ...options })];
  const plan = { port: server.port, path: '/v1/chat/completions', bodies, limitMs: 120_000 };
  const { samples } = await generator.run({ ...plan, arrivals: { kind: 'closed', clients: 1 } });
  const [sample] = samples;
  if (sample?.ok !== true) throw new Error(`A request of the speculation part failed: ${sample?.status} ${sample?.failure}`);
  return sample;
}

/** Tokens per second after the first. */
function decodeSpeed(sample: Sample): number {
  return ((sample.outputTokens - 1) / (sample.endMs - sample.sentMs - sample.ttftMs)) * 1000;
}

async function measureAcceptance(context: BenchContext, figures: Figures): Promise<void> {
  const { files, shape } = context;
  const request = {
    dataDir: files.dataDir,
    model: files.int8Model,
    threads: shape.threads,
    prompts: TEXTS.map(({ prompt }) => prompt),
    maxTokens: tokensOf(context),
  };
  const plain = await answerAll({ ...request, speculation: false });
  const drafted = await answerAll({ ...request, speculation: true });
  TEXTS.forEach(({ name }, i) => {
    const [without, withDrafts] = [plain[i], drafted[i]];
    if (without === undefined || withDrafts === undefined) return;
    figures.add('ours', withDrafts.accepted / Math.max(1, withDrafts.drafted), {
      name: `${name}, drafted tokens accepted`,
      unit: 'share',
      better: 'higher',
    });
    figures.add('ours', withDrafts.drafted, { name: `${name}, drafted tokens`, unit: 'tokens', better: 'higher' });
    figures.add('ours', commonPrefix(without, withDrafts) / without.tokens.length, {
      name: `${name}, same text as without`,
      unit: 'share',
      better: 'higher',
    });
  });
}

/** Tokens until the two answers part. */
function commonPrefix(a: RunnerAnswer, b: RunnerAnswer): number {
  const parting = a.tokens.findIndex((token, i) => token !== b.tokens[i]);
  return parting < 0 ? a.tokens.length : parting;
}
