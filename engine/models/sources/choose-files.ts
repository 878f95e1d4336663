// Owns which files of a hub repository make up a model. Pure.

export interface RepoFile {
  readonly path: string;
  readonly sizeBytes: number;
}

export type FileChoice =
  | { readonly kind: 'gguf'; readonly file: string; readonly reason: string }
  | { readonly kind: 'safetensors'; readonly files: readonly string[]; readonly reason: string }
  | { readonly kind: 'none'; readonly reason: string };

/** Everything a reader of safetensors folders looks at. */
const COMPANIONS = new Set([
  'config.json',
  'tokenizer.json',
  'tokenizer_config.json',
  'generation_config.json',
  'chat_template.jinja',
  'chat_template.json',
  'model.safetensors.index.json',
  'README.md',
  'modules.json',
  'sentence_bert_config.json',
  'config_sentence_transformers.json',
]);
/** What sentence-transformers keeps of each module in a folder of its own. */
const MODULE_CONFIG = /^[0-9]+_[A-Za-z]+\/config\.json$/;
const WEIGHTS = /^model(-\d{5}-of-\d{5})?\.safetensors$/;
const PART = /-\d{5}-of-\d{5}\.gguf$/i;

/** Quantisations in order of preference, when a repository has many and none was named. */
const PREFERRED = ['q4_k_m', 'q4_k_s', 'q4_1', 'q4_0', 'q8_0', 'q5_k_m', 'q6_k', 'bf16', 'f16', 'f32'];

/** `wanted`: a GGUF file's name or a part of it (`Q8_0`); null lets safetensors win over GGUF, as they lose nothing. */
export function chooseFiles(files: readonly RepoFile[], wanted: string | null): FileChoice {
  const ggufs = files.map(({ path }) => path).filter((path) => path.toLowerCase().endsWith('.gguf') && !PART.test(path));
  if (wanted !== null) return named(ggufs, wanted);
  const folder = files.map(({ path }) => path).filter((path) => COMPANIONS.has(path) || MODULE_CONFIG.test(path) || WEIGHTS.test(path));
  const hasWeights = folder.some((path) => WEIGHTS.test(path));
  if (hasWeights && folder.includes('config.json') && folder.includes('tokenizer.json')) {
    return { kind: 'safetensors', files: folder, reason: 'original weights as safetensors' };
  }
  const preferred = PREFERRED.map((part) => ggufs.find((path) => path.toLowerCase().includes(part))).find((path) => path !== undefined);
  const file = preferred ?? ggufs[0];
  if (file !== undefined)
    return { kind: 'gguf', file, reason: preferred === undefined ? 'the first GGUF file' : 'the preferred GGUF file' };
  return {
    kind: 'none',
    reason: hasWeights ? 'safetensors without config.json and tokenizer.json' : 'neither safetensors nor a GGUF file',
  };
}

function named(ggufs: readonly string[], wanted: string): FileChoice {
  const exact = ggufs.find((path) => path === wanted);
  const matches = ggufs.filter((path) => path.toLowerCase().includes(wanted.toLowerCase()));
  const file = exact ?? matches[0];
  if (file !== undefined && (exact !== undefined || matches.length === 1)) return { kind: 'gguf', file, reason: `named ${wanted}` };
  const have = ggufs.slice(0, 20).join(', ') || 'no GGUF file';
  return { kind: 'none', reason: `${matches.length} files match ${wanted}; there is ${have}` };
}
