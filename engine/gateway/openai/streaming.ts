// The fields that say how an answer is delivered: whole, or as a stream with or without usage.
// Pure.
import { Type, type Static } from 'typebox';
import { invalid, unsupported } from './faults.ts';

export const streamFields = {
  stream: Type.Optional(Type.Boolean({ description: 'Answer as server-sent events. Default false.' })),
  stream_options: Type.Optional(
    Type.Object({
      include_usage: Type.Optional(Type.Boolean({ description: 'A last chunk with empty `choices` carries the usage.' })),
      include_obfuscation: Type.Optional(Type.Boolean({ description: 'Only false is supported: chunks carry no padding.' })),
    }),
  ),
};

const streamSchema = Type.Object(streamFields);

export interface Streaming {
  readonly stream: boolean;
  readonly includeUsage: boolean;
}

/** @throws EngineError `invalid_request` for stream options without a stream, `unsupported_parameter` for obfuscation */
export function readStreaming(body: Static<typeof streamSchema>): Streaming {
  const stream = body.stream ?? false;
  const options = body.stream_options;
  if (options !== undefined && !stream) {
    throw invalid('stream_options', 'stream_options needs stream to be true.');
  }
  if (options?.include_obfuscation === true) {
    throw unsupported('stream_options.include_obfuscation', 'Chunks are not padded.');
  }
  return { stream, includeUsage: options?.include_usage ?? false };
}
