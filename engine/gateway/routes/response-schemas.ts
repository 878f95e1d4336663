// The schemas of answers, for the API's reference and for the tests that hold answers against them.
// They describe; what is sent is not filtered through them.
import { Type, type TSchema } from 'typebox';
import { ERROR_TABLE } from '../../errors.ts';

const nullable = <T extends TSchema>(type: T) => Type.Union([type, Type.Null()]);
const finishReason = Type.Enum(['stop', 'length']);

const errorSchema = Type.Object(
  {
    error: Type.Object({
      message: Type.String(),
      type: Type.String(),
      param: nullable(Type.String()),
      code: Type.Enum(Object.keys(ERROR_TABLE)),
    }),
  },
  { description: 'The one shape of every error.' },
);

export const errorResponses = { '4xx': errorSchema, '5xx': errorSchema };

const usage = Type.Object({
  prompt_tokens: Type.Integer(),
  completion_tokens: Type.Integer(),
  total_tokens: Type.Integer(),
  prompt_tokens_details: Type.Object({ cached_tokens: Type.Integer(), audio_tokens: Type.Integer() }),
  completion_tokens_details: Type.Object({
    reasoning_tokens: Type.Integer(),
    audio_tokens: Type.Integer(),
    accepted_prediction_tokens: Type.Integer(),
    rejected_prediction_tokens: Type.Integer(),
  }),
});

const tokenLogprob = { token: Type.String(), logprob: Type.Number(), bytes: Type.Array(Type.Integer()) };
const chatLogprobs = Type.Object({
  content: Type.Array(Type.Object({ ...tokenLogprob, top_logprobs: Type.Array(Type.Object(tokenLogprob)) })),
  refusal: Type.Null(),
});

const head = {
  id: Type.String(),
  created: Type.Integer({ description: 'Seconds since 1970.' }),
  model: Type.String(),
  system_fingerprint: Type.String(),
};

const chatReason = Type.Enum(['stop', 'length', 'tool_calls']);
const called = Type.Object({ name: Type.String(), arguments: Type.String() });
const toolCalls = Type.Array(Type.Object({ id: Type.String(), type: Type.Literal('function'), function: called }));
const callDeltas = Type.Array(
  Type.Object({
    index: Type.Integer(),
    id: Type.Optional(Type.String()),
    type: Type.Optional(Type.Literal('function')),
    function: Type.Partial(called),
  }),
);

export const chatCompletion = Type.Object({
  ...head,
  object: Type.Literal('chat.completion'),
  choices: Type.Array(
    Type.Object({
      index: Type.Integer(),
      message: Type.Object({
        role: Type.Literal('assistant'),
        content: nullable(Type.String()),
        tool_calls: Type.Optional(toolCalls),
        refusal: Type.Null(),
      }),
      logprobs: nullable(chatLogprobs),
      finish_reason: chatReason,
    }),
  ),
  usage,
});

export const chatChunk = Type.Object({
  ...head,
  object: Type.Literal('chat.completion.chunk'),
  choices: Type.Array(
    Type.Object({
      index: Type.Integer(),
      delta: Type.Object({
        role: Type.Optional(Type.Literal('assistant')),
        content: Type.Optional(Type.String()),
        tool_calls: Type.Optional(callDeltas),
        refusal: Type.Optional(Type.Null()),
      }),
      logprobs: nullable(chatLogprobs),
      finish_reason: nullable(chatReason),
    }),
  ),
  usage: Type.Optional(nullable(usage)),
});

const completionLogprobs = Type.Object({
  tokens: Type.Array(Type.String()),
  token_logprobs: Type.Array(nullable(Type.Number())),
  top_logprobs: Type.Array(nullable(Type.Record(Type.String(), Type.Number()))),
  text_offset: Type.Array(Type.Integer()),
});

const completionChoice = { index: Type.Integer(), text: Type.String(), logprobs: nullable(completionLogprobs) };

export const textCompletion = Type.Object({
  ...head,
  object: Type.Literal('text_completion'),
  choices: Type.Array(Type.Object({ ...completionChoice, finish_reason: finishReason })),
  usage,
});

export const textChunk = Type.Object({
  ...head,
  object: Type.Literal('text_completion'),
  choices: Type.Array(Type.Object({ ...completionChoice, finish_reason: nullable(finishReason) })),
  usage: Type.Optional(nullable(usage)),
});

const either = (whole: TSchema, chunk: TSchema) => ({
  200: {
    description: 'The answer; with `stream`, chunks as server-sent events that end with `data: [DONE]`.',
    content: { 'application/json': { schema: whole }, 'text/event-stream': { schema: chunk } },
  },
  ...errorResponses,
});

export const chatResponses = either(chatCompletion, chatChunk);
export const completionResponses = either(textCompletion, textChunk);

const encodeUsage = { prompt_tokens: Type.Integer(), total_tokens: Type.Integer() };

export const embeddingList = Type.Object({
  object: Type.Literal('list'),
  data: Type.Array(
    Type.Object({
      object: Type.Literal('embedding'),
      index: Type.Integer(),
      embedding: Type.Union([Type.Array(Type.Number()), Type.String({ description: 'With base64: little-endian float32.' })]),
    }),
  ),
  model: Type.String(),
  usage: Type.Object({
    ...encodeUsage,
    prompt_tokens_details: Type.Optional(
      Type.Object({ cached_tokens: Type.Integer({ description: 'Tokens of texts that were not computed for this request.' }) }),
    ),
  }),
});

export const rerankList = Type.Object({
  id: Type.String(),
  model: Type.String(),
  results: Type.Array(
    Type.Object({
      index: Type.Integer({ description: 'Place among the documents of the request.' }),
      relevance_score: Type.Number(),
      document: Type.Optional(Type.Object({ text: Type.String() })),
    }),
    { description: 'The best first.' },
  ),
  usage: Type.Object(encodeUsage),
});

export const classList = Type.Object({
  id: Type.String(),
  object: Type.Literal('list'),
  created: Type.Integer(),
  model: Type.String(),
  data: Type.Array(
    Type.Object({
      index: Type.Integer(),
      label: Type.String({ description: 'The likeliest.' }),
      probs: Type.Array(Type.Number(), { description: 'In the order of the model’s labels.' }),
      num_classes: Type.Integer(),
      scores: Type.Array(Type.Object({ label: Type.String(), score: Type.Number() }), { description: 'The likeliest first.' }),
    }),
  ),
  usage: Type.Object({ ...encodeUsage, completion_tokens: Type.Integer() }),
});

export const embeddingResponses = { 200: embeddingList, ...errorResponses };
export const rerankResponses = { 200: rerankList, ...errorResponses };
export const classifyResponses = { 200: classList, ...errorResponses };
