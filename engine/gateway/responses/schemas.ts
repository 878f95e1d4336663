// The schemas of what `/v1/responses` answers, for the API's reference and for tests. They describe; nothing is filtered through them.
import { Type, type TSchema } from 'typebox';
import { errorResponses } from '../routes/response-schemas.ts';

const nullable = <T extends TSchema>(type: T) => Type.Union([type, Type.Null()]);

const tokenLogprob = { token: Type.String(), logprob: Type.Number(), bytes: Type.Array(Type.Integer()) };
const outputText = Type.Object({
  type: Type.Literal('output_text'),
  text: Type.String(),
  annotations: Type.Array(Type.Unknown()),
  logprobs: Type.Array(Type.Object({ ...tokenLogprob, top_logprobs: Type.Array(Type.Object(tokenLogprob)) })),
});

const outputMessage = Type.Object({
  id: Type.String(),
  type: Type.Literal('message'),
  status: Type.Enum(['in_progress', 'completed', 'incomplete']),
  role: Type.Literal('assistant'),
  content: Type.Array(outputText),
});

export const response: TSchema = Type.Object({
  id: Type.String(),
  object: Type.Literal('response'),
  created_at: Type.Integer({ description: 'Seconds since 1970.' }),
  status: Type.Enum(['queued', 'in_progress', 'completed', 'incomplete', 'failed', 'cancelled']),
  completed_at: nullable(Type.Integer()),
  error: nullable(Type.Object({ code: Type.String(), message: Type.String() })),
  incomplete_details: nullable(Type.Object({ reason: Type.Literal('max_output_tokens') })),
  model: Type.String(),
  output: Type.Array(outputMessage),
  usage: nullable(
    Type.Object({
      input_tokens: Type.Integer(),
      input_tokens_details: Type.Object({ cached_tokens: Type.Integer() }),
      output_tokens: Type.Integer(),
      output_tokens_details: Type.Object({ reasoning_tokens: Type.Integer() }),
      total_tokens: Type.Integer(),
    }),
  ),
  background: Type.Boolean(),
  instructions: nullable(Type.String()),
  max_output_tokens: nullable(Type.Integer()),
  metadata: Type.Record(Type.String(), Type.String()),
  parallel_tool_calls: Type.Boolean(),
  previous_response_id: nullable(Type.String()),
  store: Type.Boolean(),
  temperature: Type.Number(),
  text: Type.Object({ format: Type.Object({ type: Type.Enum(['text', 'json_object', 'json_schema']) }) }),
  tool_choice: Type.Literal('auto'),
  tools: Type.Array(Type.Unknown()),
  top_p: Type.Number(),
  truncation: Type.Literal('disabled'),
});

const event = Type.Object(
  { type: Type.String(), sequence_number: Type.Integer() },
  {
    description: 'Named by its `type`: `response.created`, `response.output_text.delta` … `response.completed`, or `response.incomplete`.',
  },
);

export const responseAnswers = {
  200: {
    description: 'The response; with `stream`, server-sent events, the last of which holds it.',
    content: { 'application/json': { schema: response }, 'text/event-stream': { schema: event } },
  },
  ...errorResponses,
};

export const deletedResponse = Type.Object({ id: Type.String(), object: Type.Literal('response'), deleted: Type.Literal(true) });

export const inputTokens = Type.Object({ object: Type.Literal('response.input_tokens'), input_tokens: Type.Integer() });

const storedItem = Type.Object({
  id: Type.String(),
  type: Type.Literal('message'),
  role: Type.String(),
  content: Type.Array(Type.Unknown()),
});

export const inputItemList: TSchema = Type.Object({
  object: Type.Literal('list'),
  data: Type.Array(storedItem),
  first_id: nullable(Type.String()),
  last_id: nullable(Type.String()),
  has_more: Type.Boolean(),
});
