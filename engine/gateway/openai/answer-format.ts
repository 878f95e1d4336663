// The interface of the two ways an endpoint shapes what the model makes: frames of a stream, or one JSON object.
import type { EngineError } from '../../errors.ts';
import type { GenerateEvent, Usage } from '../../runner/protocol.ts';
import type { StreamWire } from '../sse.ts';

export interface StreamFormat {
  /** Frames for one event, `''` for none; `started` may come again. `prompt` is the prompt's place in the request. */
  frames(prompt: number, event: GenerateEvent): string;
  /** Whether no text of this prompt's answer has left, so that its generation may begin again. */
  mayRestart(prompt: number): boolean;
  /** The last frames of a whole answer. */
  tail(usage: Usage): string;
  /** The last frames of one that failed after it had begun. Absent: OpenAI's error frame. */
  failure?(error: EngineError): string;
  /** Absent: server-sent events. */
  readonly wire?: StreamWire;
}

export interface JsonFormat {
  /** Takes one event; `started` begins the prompt's answers afresh. */
  add(prompt: number, event: GenerateEvent): void;
  /** The whole answer, once every prompt is done. */
  body(usage: Usage): unknown;
}
