// Filling in between a prompt and a suffix: which markers a model was trained with (fill-in-the-middle, arXiv 2207.14255), and the text with them.
// Knows models only through what their tokenizer makes of the markers.
import type { HostedModel, ModelHost } from '../../fleet/host.ts';
import { isDecoder, type DecoderManifest, type ModelManifest } from '../../models/manifest.ts';
import { unsupported } from './faults.ts';

interface Markers {
  readonly tokens: readonly string[];
  readonly text: (prefix: string, suffix: string) => string;
}

/** The order prefix, suffix, middle, which most families use. */
const inOrder = (before: string, between: string, after: string): Markers => ({
  tokens: [before, between, after],
  text: (prefix, suffix) => before + prefix + between + suffix + after,
});

const FAMILIES: readonly Markers[] = [
  // Qwen2.5 and its Coder, CodeGemma.
  inOrder('<|fim_prefix|>', '<|fim_suffix|>', '<|fim_middle|>'),
  // StarCoder, Granite.
  inOrder('<fim_prefix>', '<fim_suffix>', '<fim_middle>'),
  // DeepSeek-Coder.
  inOrder('<｜fim▁begin｜>', '<｜fim▁hole｜>', '<｜fim▁end｜>'),
  // Codestral: the suffix comes first.
  { tokens: ['[SUFFIX]', '[PREFIX]'], text: (prefix, suffix) => `[SUFFIX]${suffix}[PREFIX]${prefix}` },
];

/** A memory, no state: what was found for a manifest holds as long as there is that manifest. */
const known = new WeakMap<ModelManifest, Promise<Markers | null>>();

/** The text that a model goes on from to fill in before `suffix`. `name` is the model's in the host.
 *  @throws EngineError `unsupported_parameter` where the model has no markers; those of `tokenize` */
export async function fillInText(
  host: ModelHost,
  name: string,
  model: HostedModel,
  parts: { prefix: string; suffix: string },
): Promise<string> {
  const { manifest } = model;
  if (!isDecoder(manifest)) throw unsupported('suffix', 'This model writes no text.');
  const found = known.get(manifest) ?? findMarkers(host, name, manifest);
  known.set(manifest, found);
  const markers = await found.catch((error: unknown) => {
    known.delete(manifest);
    throw error;
  });
  if (markers === null) throw unsupported('suffix', `${manifest.id} was not trained to fill in: its tokenizer has no markers for it.`);
  return markers.text(parts.prefix, parts.suffix);
}

async function findMarkers(host: ModelHost, name: string, { tokenizer }: DecoderManifest): Promise<Markers | null> {
  const alone = tokenizer.addBos && tokenizer.bosToken !== null ? 2 : 1;
  for (const markers of FAMILIES) {
    const lengths = await Promise.all(markers.tokens.map(async (text) => (await host.tokenize(name, { kind: 'text', text })).length));
    if (lengths.every((length) => length === alone)) return markers;
  }
  return null;
}
