// `npm run bench`: measures ours against llama.cpp in the same run, in alternating rounds, and prints ratios as a Markdown table.
// Exits with 0 when it ran through: a missed goal is a row of the table, not a failure.
import { writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { Command, InvalidArgumentError } from 'commander';
import type { BenchContext, Part } from './context.ts';
import type { Figure } from './figure.ts';
import { RANDOM_1B, prepareFiles } from './files.ts';
import { describeMachine } from './machine.ts';
import { cachePart } from './parts/cache.ts';
import { decodePart } from './parts/decode.ts';
import { encodePart } from './parts/encode.ts';
import { fairnessPart } from './parts/fairness.ts';
import { gatewayPart } from './parts/gateway.ts';
import { historyPart } from './parts/history.ts';
import { memoryPart } from './parts/memory.ts';
import { prefixPart } from './parts/prefix.ts';
import { replayPart } from './parts/replay.ts';
import { routerPart } from './parts/router.ts';
import { serverPart } from './parts/server.ts';
import { qualityPart } from './parts/quality.ts';
import { speculationPart } from './parts/speculation.ts';
import { startupPart } from './parts/startup.ts';
import { type Peer, findBuiltPeer, findPeer } from './peer.ts';
import { renderMachine, renderTable } from './report.ts';

const PARTS = {
  decode: decodePart,
  speculation: speculationPart,
  server: serverPart,
  prefix: prefixPart,
  startup: startupPart,
  memory: memoryPart,
  gateway: gatewayPart,
  quality: qualityPart,
  encode: encodePart,
  history: historyPart,
  cache: cachePart,
  fairness: fairnessPart,
  router: routerPart,
  replay: replayPart,
} as const satisfies Record<string, Part>;
type PartName = keyof typeof PARTS;

interface Options {
  readonly only: readonly PartName[];
  readonly model?: string;
  readonly reps: number;
  readonly threads: number;
  readonly smoke?: true;
  readonly peer: boolean;
  readonly json?: string;
}

const command = new Command('bench')
  .description('Measures this engine against llama.cpp on this machine. The first run builds llama.cpp, which takes some minutes.')
  .option('--only <parts>', `parts to run, comma-separated: ${Object.keys(PARTS).join(', ')}`, parseParts, Object.keys(PARTS) as PartName[])
  .option(
    '--model <file>',
    `GGUF to compare with, or ${RANDOM_1B}: a 1B-class shape with random weights (default: the chat model of npm start)`,
  )
  .option('--reps <n>', 'rounds; each measures both sides', parseCount, 3)
  .option('--threads <n>', 'threads on either side', parseCount, availableParallelism())
  .option('--smoke', 'a few seconds a part, to see that all of it runs; builds no peer')
  .option('--no-peer', 'measure ours alone')
  .option('--json <file>', 'write every sample there')
  .addHelpText(
    'after',
    '\nEnvironment: MILLRACE_LLAMA_BIN, a folder with llama-server and its tools, instead of the build; MILLRACE_GRADED, graded prompts for the part replay.',
  );

await bench(command.parse().opts<Options>());

async function bench(options: Options): Promise<void> {
  const log = (line: string): void => void process.stderr.write(`${line}\n`);
  const peer = options.peer ? await choosePeer(options.smoke === true, log) : null;
  const files = await prepareFiles(options.model ?? null, peer, log);
  const context: BenchContext = {
    reps: options.smoke ? 1 : options.reps,
    smoke: options.smoke === true,
    shape: { slots: 8, contextPerSlot: options.smoke ? 256 : 2048, threads: options.threads },
    peer,
    files,
    foreignCores: [],
    log,
  };
  const figures: Figure[] = [];
  for (const name of options.only) {
    log(`== ${name}`);
    figures.push(...(await PARTS[name](context)));
  }
  const machine = await describeMachine();
  console.log(`${renderMachine(machine, peer?.version ?? null, context.foreignCores)}\n\n${renderTable(figures)}`);
  if (options.json !== undefined)
    await writeFile(
      options.json,
      JSON.stringify({ machine, peer: peer?.version ?? null, foreignCores: context.foreignCores, figures }, null, 1),
    );
}

/** A smoke run takes the peer only when it is there already. */
async function choosePeer(smoke: boolean, log: (line: string) => void): Promise<Peer | null> {
  if (!smoke) return findPeer(log);
  const peer = await findBuiltPeer();
  if (peer === null) log('No built peer (MILLRACE_LLAMA_BIN): ours alone.');
  return peer;
}

function parseParts(text: string): readonly PartName[] {
  return text.split(',').map((name) => {
    if (!(name in PARTS)) throw new InvalidArgumentError(`There is no part ${name}; there are ${Object.keys(PARTS).join(', ')}.`);
    return name as PartName;
  });
}

function parseCount(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1) throw new InvalidArgumentError('A whole number from 1 on.');
  return count;
}
