// What every upstream API has in common: a request it can be given, and the pieces of its answer. Types, and faults of the wire.
import { EngineError } from '../../errors.ts';
import type { GenerateRequest } from '../../fleet/host.ts';
import type { FinishReason } from '../../runner/protocol.ts';

export interface WireRequest {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

export interface WireQuestion {
  readonly request: GenerateRequest;
  /** As the upstream spells it. */
  readonly model: string;
  /** Null: none is kept. */
  readonly key: string | null;
  /** Tokens of the answer at most, of each choice. */
  readonly maxTokens: number;
  /** The last message is the beginning of the answer. */
  readonly isContinued: boolean;
}

/** Each field null or empty where an event does not say it. */
export interface WirePiece {
  readonly texts: readonly { readonly choice: number; readonly text: string }[];
  readonly finishes: readonly { readonly choice: number; readonly reason: FinishReason; readonly stopString: string | null }[];
  readonly promptTokens: number | null;
  readonly cachedTokens: number | null;
  readonly completionTokens: number | null;
  /** The answer is whole. */
  readonly isEnd: boolean;
}

export const NOTHING: WirePiece = {
  texts: [],
  finishes: [],
  promptTokens: null,
  cachedTokens: null,
  completionTokens: null,
  isEnd: false,
};

/** One upstream API. Pure. */
export interface Wire {
  /** @throws EngineError `unsupported_parameter` for what the API has no word for */
  request(question: WireQuestion): WireRequest;
  /** One server-sent event. @throws EngineError `upstream_failed` for an error event or for what is no event of this API */
  read(event: { readonly name: string | undefined; readonly data: string }): WirePiece;
}

type Fields = Readonly<Record<string, unknown>>;

/** @throws EngineError `upstream_failed` */
export function parseObject(data: string): Fields {
  try {
    const value: unknown = JSON.parse(data);
    if (isObject(value)) return value;
  } catch {
    // Told below, with everything else that is no event.
  }
  throw garbage();
}

export function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function objects(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

export function objectOf(value: unknown): Fields {
  return isObject(value) ? value : {};
}

export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** A whole number from 0; null for everything else. */
export function countOf(value: unknown): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : null;
}

export function garbage(): EngineError {
  return new EngineError('upstream_failed', 'The upstream sent what is no part of an answer.');
}

const SHOWN_CHARS = 300;

/** What an error of the upstream says, as far as it is a text. */
export function saidBy(error: unknown): string {
  const { message, type } = objectOf(error);
  return (textOf(message) || textOf(type) || 'no reason').slice(0, SHOWN_CHARS);
}

/** `param`: the request's field; absent where it is not known. */
export function unsupported(what: string, param?: string): EngineError {
  return new EngineError('unsupported_parameter', `${what} is not supported by this upstream model.`, param === undefined ? {} : { param });
}
