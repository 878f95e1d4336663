// The schemas of what Ollama's routes answer, for the API's reference. They describe; nothing is filtered through them.
import { Type, type TSchema } from 'typebox';

const error = Type.Object({ error: Type.String() }, { description: 'Ollama’s shape of an error.' });
export const ollamaErrors = { '4xx': error, '5xx': error };

/** One object, or with `stream` one a line. */
export const lines = (schema: TSchema) => ({
  200: {
    description: 'One object a line; a single object with `stream: false`.',
    content: { 'application/json': { schema }, 'application/x-ndjson': { schema } },
  },
  ...ollamaErrors,
});

const head = { model: Type.String(), created_at: Type.String(), done: Type.Boolean() };
const figures = {
  done_reason: Type.Optional(Type.Enum(['stop', 'length', 'load', 'unload'])),
  total_duration: Type.Optional(Type.Integer({ description: 'Nanoseconds, as all durations.' })),
  load_duration: Type.Optional(Type.Integer({ description: 'Of waiting for the model and a slot.' })),
  prompt_eval_count: Type.Optional(Type.Integer()),
  prompt_eval_duration: Type.Optional(Type.Integer()),
  eval_count: Type.Optional(Type.Integer()),
  eval_duration: Type.Optional(Type.Integer()),
};

export const chatLine: TSchema = Type.Object({
  ...head,
  message: Type.Object({ role: Type.Literal('assistant'), content: Type.String() }),
  ...figures,
});
export const generateLine: TSchema = Type.Object({ ...head, response: Type.String(), ...figures });
export const pullLine: TSchema = Type.Object({
  status: Type.Optional(Type.String()),
  digest: Type.Optional(Type.String()),
  total: Type.Optional(Type.Integer()),
  completed: Type.Optional(Type.Integer()),
  error: Type.Optional(Type.String()),
});

export const embedAnswer: TSchema = Type.Object({
  model: Type.String(),
  embeddings: Type.Array(Type.Array(Type.Number())),
  total_duration: Type.Integer(),
  load_duration: Type.Integer(),
  prompt_eval_count: Type.Integer(),
});
export const embeddingAnswer: TSchema = Type.Object({ embedding: Type.Array(Type.Number()) });
export const modelList: TSchema = Type.Object({ models: Type.Array(Type.Object({ name: Type.String(), model: Type.String() })) });
export const shownModel: TSchema = Type.Object({
  details: Type.Object({}),
  model_info: Type.Object({}),
  capabilities: Type.Array(Type.String()),
});
