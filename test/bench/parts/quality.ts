// What each form of the weights costs in accuracy, against the FP32 graph of the file as shipped, on two texts of different domains
// that no calibration has seen. The peer's forms are judged by the same graph: their GGUF files, converted without loss.
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Tokenizer } from '@huggingface/tokenizers';
import type { DecoderManifest, VariantManifest } from '../../../engine/models/manifest.ts';
import { type VariantEvaluation, evaluateVariant } from '../../../engine/models/quantise/evaluate.ts';
import { convertedData } from '../../served.ts';
import type { BenchContext } from '../context.ts';
import { type Figure, type FigureSpec, Figures } from '../figure.ts';

/** Read from installed packages: a manual's prose, and program code. */
const TEXTS = { prose: 'fastify/docs/Reference/Plugins.md', code: 'commander/lib/command.js' } as const;
const PACKAGES = fileURLToPath(new URL('../../../node_modules', import.meta.url));

/** Most of perplexity over FP32's. */
const INT8_GOAL = 1.007;
const INT4_GOAL = 1.06;

interface Graph {
  readonly manifest: DecoderManifest;
  readonly folder: string;
  /** Absolute path of the variant's graph. */
  readonly path: string;
  /** Of what is on disk. */
  readonly sizeBytes: number;
  readonly kvType: VariantManifest['kvType'];
}

/** Graphs whose figures stand in one row. */
interface Pair {
  readonly name: string;
  readonly ours: Graph;
  readonly peer: Graph | null;
  /** Ours may not be worse than the peer's. */
  readonly noWorse: boolean;
  /** Most of perplexity over FP32's. */
  readonly goal?: number;
}

export async function qualityPart(context: BenchContext): Promise<readonly Figure[]> {
  const figures = new Figures('quality');
  const { reference, pairs } = await openGraphs(context);
  for (const [text, file] of Object.entries(TEXTS)) {
    const tokens = await tokenise(reference, await readFile(join(PACKAGES, file), 'utf8'), context.smoke ? 48 : 1024);
    // A graph that stands in two pairs is evaluated once.
    const known = new Map<Graph, VariantEvaluation>();
    const evaluate = async (graph: Graph): Promise<VariantEvaluation> => {
      context.log(`quality: ${text}, ${graph.manifest.id}`);
      const request = { config: reference.manifest.config, reference, tokens, threads: context.shape.threads };
      const result = known.get(graph) ?? (await evaluateVariant({ ...request, candidate: graph }));
      known.set(graph, result);
      return result;
    };
    for (const pair of pairs) {
      const name = `${text}, ${pair.name}`;
      for (const [value, spec] of figuresOf(name, pair, await evaluate(pair.ours))) figures.add('ours', value, spec);
      if (pair.peer === null) continue;
      for (const [value, spec] of figuresOf(name, pair, await evaluate(pair.peer))) figures.add('peer', value, spec);
    }
  }
  for (const { name, ours, peer, noWorse } of pairs) {
    if (noWorse) continue;
    const spec: FigureSpec = { name: `${name}: size on disk`, unit: 'MB', better: 'lower', ...(peer === null ? {} : { ratioGoal: 1 }) };
    figures.add('ours', ours.sizeBytes / 1e6, spec);
    if (peer !== null) figures.add('peer', peer.sizeBytes / 1e6, spec);
  }
  return figures.list();
}

async function openGraphs({ files, smoke }: BenchContext): Promise<{ reference: Graph; pairs: readonly Pair[] }> {
  const lossless = (file: string, name: string) => ({ file, name, precision: 'fp32' });
  const { q8, q4, q4k } = files;
  const peerForms = smoke || q8 === null || q4 === null || q4k === null ? [] : [q8, q4, q4k];
  const installs = [
    { ...lossless(files.source, 'fp32'), ...(smoke ? {} : { int4Anew: true as const }) },
    ...peerForms.map((file, at) => lossless(file, `peer-${at}`)),
  ];
  const dataDir = await convertedData(installs);
  const open = (name: string): Promise<Graph> => openGraph(dataDir, name);
  const [peerQ8 = null, peerQ4 = null, peerQ4K = null] = await Promise.all(
    peerForms.map(async (file, at) => ({ ...(await open(`peer-${at}`)), sizeBytes: (await stat(file)).size })),
  );
  const exact = await openGraph(files.dataDir, files.exactModel);
  const int8 = await openGraph(files.dataDir, files.int8Model);
  const smallCache = await openGraph(files.dataDir, files.int8Model, 'int8-kv8');
  const anew = smoke ? null : await openGraph(dataDir, 'fp32', 'int4');
  const pairs: readonly Pair[] = [
    { name: 'same weights', ours: exact, peer: null, noWorse: false },
    { name: 'INT8, peer Q8_0', ours: int8, peer: peerQ8, noWorse: false },
    { name: 'INT8 with 8-bit KV cache', ours: smallCache, peer: null, noWorse: false },
    { name: 'INT8, peer Q4_0', ours: int8, peer: peerQ4, noWorse: true },
    ...(anew === null ? [] : [{ name: 'INT4 from FP32, peer Q4_K_M', ours: anew, peer: peerQ4K, noWorse: false, goal: INT4_GOAL }]),
  ];
  return { reference: await open('fp32'), pairs };
}

async function openGraph(dataDir: string, name: string, variantName?: string): Promise<Graph> {
  const folder = join(dataDir, 'models', name);
  const manifest = JSON.parse(await readFile(join(folder, 'model.json'), 'utf8')) as DecoderManifest;
  const wanted = variantName ?? manifest.defaultVariant;
  const variant = manifest.variants[wanted];
  if (variant === undefined) throw new Error(`${name} has no variant ${wanted}.`);
  return { manifest, folder, path: join(folder, variant.graphFile), kvType: variant.kvType, sizeBytes: variant.sizeBytes };
}

async function tokenise({ manifest, folder }: Graph, text: string, count: number): Promise<Int32Array> {
  const tokenizer = new Tokenizer(JSON.parse(await readFile(join(folder, manifest.tokenizer.file), 'utf8')) as object, {});
  const { ids } = tokenizer.encode(text.slice(0, count * 8), { add_special_tokens: false });
  return Int32Array.from(ids).subarray(0, count);
}

function figuresOf(
  name: string,
  { noWorse, goal = INT8_GOAL }: Pair,
  evaluation: VariantEvaluation,
): readonly (readonly [number, FigureSpec])[] {
  const { perplexity, referencePerplexity, top1Agreement, meanKl } = evaluation;
  const spec = (what: string, unit: string, better: 'higher' | 'lower' = 'lower'): FigureSpec => ({
    name: `${name}: ${what}`,
    unit,
    better,
  });
  if (noWorse) return [[perplexity, { ...spec('perplexity', ''), ratioGoal: 1 }]];
  return [
    [perplexity, spec('perplexity', '')],
    [perplexity / referencePerplexity, { ...spec("perplexity over FP32's", ''), valueGoal: goal }],
    [top1Agreement, spec("top token as FP32's", 'share', 'higher')],
    [meanKl, spec('mean KL from FP32', 'nats')],
  ];
}
