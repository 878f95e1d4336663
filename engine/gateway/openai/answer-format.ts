// The interface of the two ways an endpoint shapes what the model makes: frames of a stream, or one JSON object.
import type { GenerateEvent, Usage } from '../../runner/protocol.ts';

export interface StreamFormat {
  /** Frames for one event, `''` for none; `started` may come again. `prompt` is the prompt's place in the request. */
  frames(prompt: number, event: GenerateEvent): string;
  /** Whether no text of this prompt's answer has left, so that its generation may begin again. */
  mayRestart(prompt: number): boolean;
  /** The last frames of a whole answer. */
  tail(usage: Usage): string;
}

export interface JsonFormat {
  /** Takes one event; `started` begins the prompt's answers afresh. */
  add(prompt: number, event: GenerateEvent): void;
  /** The whole answer, once every prompt is done. */
  body(usage: Usage): unknown;
}
