// Shapes vectors as Ollama's `/api/embed` answers, as pieces of JSON text. Knows nothing about HTTP.
import type { Encoding } from '../../fleet/host.ts';
import { vectorOf } from '../openai/embedding-answer.ts';

export interface EmbedShape {
  /** As the client spelled it. */
  readonly model: string;
  readonly dimensions: number;
  /** How long it took. */
  readonly ms: number;
}

/** One vector a piece. */
export function* embedPieces(encoding: Encoding, { model, dimensions, ms }: EmbedShape): Generator<string> {
  const { tokens } = encoding;
  yield `{"model":${JSON.stringify(model)},"embeddings":[`;
  for (let index = 0; index < tokens.length; index++) {
    yield `${index === 0 ? '' : ','}[${vectorOf(encoding, index, dimensions).join(',')}]`;
  }
  const count = tokens.reduce((sum, one) => sum + one, 0);
  yield `],"total_duration":${Math.round(ms * 1e6)},"load_duration":0,"prompt_eval_count":${count}}`;
}
