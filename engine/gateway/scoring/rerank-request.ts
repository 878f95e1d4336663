// The rerank request in the shape that Jina, Cohere and others share: its schema, and how a valid body becomes pairs to score.
// Pure; knows nothing about HTTP or about answers.
import { Type, type Static } from 'typebox';
import type { EncodeInput } from '../../runner/protocol.ts';
import type { Limits } from '../limits.ts';
import { invalid } from '../openai/faults.ts';

const document = Type.Union([Type.String(), Type.Object({ text: Type.String() })]);

export const rerankBody = Type.Object({
  model: Type.String({ minLength: 1, description: 'Name of an installed reranking model; see `/v1/models`.' }),
  query: Type.String({ description: 'What the documents are compared with.' }),
  documents: Type.Array(document, { description: 'Up to 2,048 texts, or objects with a `text`.' }),
  top_n: Type.Optional(Type.Integer({ minimum: 1, description: 'How many of the best to return. Default all.' })),
  return_documents: Type.Optional(Type.Boolean({ description: 'Return each document with its score. Default false.' })),
  raw_scores: Type.Optional(Type.Boolean({ description: 'The model’s own scores instead of values from 0 to 1. Default false. Extra.' })),
  truncate: Type.Optional(
    Type.Boolean({ description: 'Cut documents that are longer than the model takes, instead of refusing them. Extra.' }),
  ),
});
export type RerankBody = Static<typeof rerankBody>;

export interface RerankAsk {
  /** One pair for each document. */
  readonly inputs: readonly EncodeInput[];
  readonly documents: readonly string[];
  readonly topN: number;
  readonly returnDocuments: boolean;
  readonly rawScores: boolean;
  readonly truncate: boolean;
}

/** @throws EngineError `invalid_request` */
export function readRerank(body: RerankBody, limits: Limits): RerankAsk {
  if (body.query === '') throw invalid('query', 'query is an empty text.');
  const documents = body.documents.map((one) => (typeof one === 'string' ? one : one.text));
  if (documents.length === 0) throw invalid('documents', 'documents is empty.');
  if (documents.length > limits.encodeInputs)
    throw invalid('documents', `documents holds ${documents.length} texts; at most ${limits.encodeInputs} are allowed.`);
  return {
    inputs: documents.map((other) => ({ kind: 'pair', text: body.query, other })),
    documents,
    topN: Math.min(body.top_n ?? documents.length, documents.length),
    returnDocuments: body.return_documents ?? false,
    rawScores: body.raw_scores ?? false,
    truncate: body.truncate ?? false,
  };
}
