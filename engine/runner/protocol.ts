// Owns the messages between the engine and a runner process. One message per step and direction, structured clone.
// Knows nothing about HTTP or about how tokens are computed.
import type { SlotUse } from '../contract.ts';
import type { WireError } from '../errors.ts';
import type { Tensor } from '../models/infer/tensors.ts';
import type { Precision } from '../models/manifest.ts';

export interface RunnerOptions {
  /** Absolute path of the model's folder (the one that holds model.json). */
  readonly modelDir: string;
  readonly variant: string;
  /** Intra-op threads: physical cores granted to this runner. */
  readonly threads: number;
  /** Tokens of one sequence, prompt and answer; null: the smaller of the trained length and what memory allows at 4 slots. */
  readonly contextLength: number | null;
  /** Most sequences that decode together; null: grows with demand within the memory budget, up to 16. */
  readonly slots: number | null;
  /** Bytes the KV cache may commit. */
  readonly kvBudgetBytes: number;
  /** Most requests that wait for a slot; one more is refused with `queue_full`. */
  readonly maxWaiting: number;
  /** Draft by prompt look-up at low batch sizes. */
  readonly speculation: boolean;
  /** How an encoder's batches are formed; absent: `DEFAULT_BATCHING`. Decoders take no notice of it. */
  readonly batching?: BatchingOptions;
}

/** The classic pair of dynamic batching. */
export interface BatchingOptions {
  /** Texts of one batch at most. */
  readonly maxBatchSize: number;
  /** Longest time a text waits for company, in ms; it never waits when that does not pay. */
  readonly maxWaitMs: number;
}

export const DEFAULT_BATCHING: BatchingOptions = { maxBatchSize: 32, maxWaitMs: 50 };

export interface RunnerInfo {
  readonly pid: number;
  readonly modelId: string;
  readonly variant: string;
  readonly precision: Precision;
  readonly device: 'cpu' | 'webgpu';
  readonly contextLength: number;
  readonly maxSlots: number;
  readonly vocabSize: number;
  readonly loadMs: number;
  /** What only encoders have: `contextLength` is then the tokens of one text, `maxSlots` the texts of one batch. */
  readonly encoder?: EncoderInfo;
}

export interface EncoderInfo {
  /** Numbers in one row: dimensions of a vector, or labels of a head. */
  readonly width: number;
  /** Tokens of one batch at most, as the calibration at start found it. */
  readonly tokenBudget: number;
}

/** A chat message as the template sees it: content already reduced to text. */
export interface TemplateMessage {
  readonly role: string;
  readonly content: string;
  readonly [extra: string]: unknown;
}

export type PromptInput =
  | {
      readonly kind: 'chat';
      readonly messages: readonly TemplateMessage[];
      readonly tools: readonly unknown[] | null;
      readonly templateOptions: Readonly<Record<string, unknown>>;
    }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'tokens'; readonly tokens: readonly number[] };

export interface SamplingParams {
  /** 0 is greedy. */
  readonly temperature: number;
  readonly topP: number;
  /** 0: off. */
  readonly topK: number;
  readonly minP: number;
  /** 1: off. */
  readonly typicalP: number;
  /** Multiplicative, 1: off (Keskar et al. 2019, over prompt and answer). */
  readonly repetitionPenalty: number;
  /** OpenAI's two, over the answer only. */
  readonly frequencyPenalty: number;
  readonly presencePenalty: number;
  /** Added to the logits, token by token. */
  readonly logitBias: readonly (readonly [token: number, bias: number])[];
  readonly seed: number | null;
}

/** The likeliest token each time, with nothing else in play: what callers change only in part. */
export const PLAIN_SAMPLING: SamplingParams = {
  temperature: 0,
  topP: 1,
  topK: 0,
  minP: 0,
  typicalP: 1,
  repetitionPenalty: 1,
  frequencyPenalty: 0,
  presencePenalty: 0,
  logitBias: [],
  seed: null,
};

/** What an answer must look like; `field` is the request's field that refusals name. */
export type GrammarSpec = { readonly field: string } & (
  | { readonly kind: 'json' }
  | {
      readonly kind: 'json_schema';
      readonly schema: unknown;
      /** False: what cannot be enforced is left out instead of refused. */
      readonly strict: boolean;
    }
  /** ECMA-262, over the whole answer. */
  | { readonly kind: 'regex'; readonly pattern: string }
  /** llama.cpp's GBNF. */
  | { readonly kind: 'ebnf'; readonly source: string }
  | { readonly kind: 'choice'; readonly choices: readonly string[] }
  | {
      readonly kind: 'tool_calls';
      readonly syntax: ToolSyntax;
      readonly tools: readonly ToolShape[];
      /** Free text may come before the calls, or instead of them. */
      readonly allowText: boolean;
      readonly allowSeveral: boolean;
    }
);

export interface ToolShape {
  readonly name: string;
  /** JSON Schema of the arguments. */
  readonly parameters: unknown;
  readonly strict: boolean;
}

/** How a model writes tool calls: `open`, then for each call `begin` name `middle` arguments as JSON `end`, `separator` between them, `close`. */
export interface ToolSyntax {
  /** What free text never holds; the beginning of `open` and `begin` put together. */
  readonly trigger: string;
  readonly open: string;
  readonly begin: string;
  readonly middle: string;
  readonly end: string;
  readonly separator: string;
  readonly close: string;
}

export interface GenerateParams {
  readonly sampling: SamplingParams;
  /** Tokens to make at most; null: as many as the context holds. */
  readonly maxTokens: number | null;
  readonly stop: readonly string[];
  /** Report the log-probability of each token with this many alternatives (0 to 20); null: none. */
  readonly topLogprobs: number | null;
  /** Log-probabilities of the prompt's tokens too (completions with `echo`). */
  readonly promptLogprobs: boolean;
  /** Answers to make of one prompt. */
  readonly n: number;
  readonly ignoreEos: boolean;
  /** What each answer must look like; absent: anything. */
  readonly grammar?: GrammarSpec;
}

/** One text to encode; a pair is a query and a document for a cross-encoder. Token ids are taken as they are, without special tokens. */
export type EncodeInput =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'pair'; readonly text: string; readonly other: string }
  | { readonly kind: 'tokens'; readonly tokens: readonly number[] };

export interface EncodeParams {
  /** Cut inputs that are too long instead of refusing them; of a pair the second text is cut. */
  readonly truncate: boolean;
  /** Whoever asks: callers share the device evenly, however much each asks for. */
  readonly caller: string;
  /** Time from its arrival in the runner after which the request is refused with `deadline_exceeded`. */
  readonly deadlineMs: number;
}

/** As those of an encode request. */
export type InferParams = Pick<EncodeParams, 'caller' | 'deadlineMs'>;

export type ToRunner =
  | { readonly kind: 'load'; readonly options: RunnerOptions }
  | { readonly kind: 'generate'; readonly id: number; readonly prompt: PromptInput; readonly params: GenerateParams }
  | { readonly kind: 'tokenize'; readonly id: number; readonly prompt: PromptInput }
  | { readonly kind: 'encode'; readonly id: number; readonly inputs: readonly EncodeInput[]; readonly params: EncodeParams }
  | {
      readonly kind: 'infer';
      readonly id: number;
      readonly inputs: readonly Tensor[];
      /** Names of the outputs to give, in their order. */
      readonly outputs: readonly string[];
      readonly params: InferParams;
    }
  | { readonly kind: 'cancel'; readonly id: number }
  /** Finish what runs, then exit with code 0. */
  | { readonly kind: 'drain' };

export interface TokenLogprob {
  readonly token: number;
  readonly text: string;
  readonly bytes: readonly number[];
  readonly logprob: number;
  readonly top: readonly { readonly token: number; readonly text: string; readonly bytes: readonly number[]; readonly logprob: number }[];
}

export interface Usage {
  readonly promptTokens: number;
  /** Part of `promptTokens` whose KV was reused. */
  readonly cachedTokens: number;
  /** Over all choices. */
  readonly completionTokens: number;
}

export interface Timings {
  readonly queueMs: number;
  readonly prefillMs: number;
  readonly decodeMs: number;
  /** Mean number of sequences in the decode steps this request took part in. */
  readonly meanBatch: number;
  readonly draftedTokens: number;
  readonly acceptedTokens: number;
  /** This request's share of the steps it took part in, by tokens. */
  readonly deviceMs: number;
}

export type FinishReason = 'stop' | 'length';

/** What happens to one request, in order: `started`, then `text`… and one `finish` for each choice, then `done`; or `error` at any point. */
export type GenerateEvent =
  | {
      readonly kind: 'started';
      readonly id: number;
      readonly promptTokens: number;
      readonly cachedTokens: number;
      /** One entry for each prompt token, the first null (nothing predicts it); null unless `promptLogprobs` was asked for. */
      readonly promptLogprobs: readonly (TokenLogprob | null)[] | null;
      /** The prompt's tokens as text; present when `promptLogprobs` was asked for. */
      readonly promptText?: string;
    }
  | {
      readonly kind: 'text';
      readonly id: number;
      readonly choice: number;
      readonly text: string;
      readonly tokens: readonly number[];
      readonly logprobs: readonly TokenLogprob[] | null;
    }
  | {
      readonly kind: 'finish';
      readonly id: number;
      readonly choice: number;
      readonly reason: FinishReason;
      readonly stopString: string | null;
    }
  | { readonly kind: 'done'; readonly id: number; readonly usage: Usage; readonly timings: Timings }
  | { readonly kind: 'error'; readonly id: number; readonly error: WireError };

/** The rows of one batch, for the requests whose texts were in it. A request is done when each of its inputs has its row. */
export interface EncodedBatch {
  readonly rows: readonly {
    readonly id: number;
    /** Place among the request's inputs. */
    readonly input: number;
    /** Tokens that were computed, special ones included. */
    readonly tokens: number;
    /** Its share of the batch's time, by tokens. */
    readonly deviceMs: number;
  }[];
  /** [rows, width] */
  readonly values: Float32Array;
}

/** What an infer request asked for. */
export interface InferredOutputs {
  readonly kind: 'inferred';
  readonly id: number;
  readonly outputs: readonly Tensor[];
  /** Its share of the run's time, by rows. */
  readonly deviceMs: number;
}

export interface RunnerStats {
  readonly running: number;
  readonly waiting: number;
  readonly slots: number;
  readonly kvUsedTokens: number;
  readonly kvCommittedBytes: number;
  readonly steps: number;
  readonly prefillTokens: number;
  /** Steps that made tokens, and over all of them the sequences that took part. */
  readonly decodeSteps: number;
  readonly decodeTokens: number;
  readonly preemptions: number;
  readonly eventLoopDelayP99Ms: number;
  /** Time since the start in which the device computed for requests. What requests are charged adds up to it. */
  readonly busyMs: number;
  /** Sequences of a decode step, or texts of an encoder's batch, on average since the last report; null without one. */
  readonly meanBatch: number | null;
  /** One entry a slot; empty for encoders. */
  readonly slotUse: readonly SlotUse[];
  /** What only encoders have: `running` and `waiting` then count texts, `steps` batches, `prefillTokens` their tokens. */
  readonly encoder?: EncoderStats;
}

/** Of the batches since the last report but one at most; zeros when there were none. */
export interface EncoderStats {
  /** Texts of a batch on average. */
  readonly meanBatchSize: number;
  /** Share of the token budget that batches used. */
  readonly meanFill: number;
  /** From a text's arrival to the start of its batch. */
  readonly meanWaitMs: number;
  readonly tokenBudget: number;
  readonly textsPerSecond: number;
}

/** An increment of a request's device time. */
export interface Charge {
  readonly id: number;
  readonly deviceMs: number;
}

export type FromRunner =
  | { readonly kind: 'ready'; readonly info: RunnerInfo }
  | { readonly kind: 'loadFailed'; readonly error: WireError }
  | { readonly kind: 'events'; readonly events: readonly GenerateEvent[] }
  | { readonly kind: 'tokens'; readonly id: number; readonly tokens: readonly number[] }
  | { readonly kind: 'encoded'; readonly batch: EncodedBatch }
  | InferredOutputs
  /** The request has a slot: its prefill begins. */
  | { readonly kind: 'admitted'; readonly id: number }
  /**
   * Device time since the last such message; a request's last charge comes before its `done` or `error`. Encoders charge with each row;
   * what is computed of a request that has been refused meanwhile is charged to nobody.
   * The requests in `settled` were cancelled, and nothing more will be charged to them.
   */
  | { readonly kind: 'charges'; readonly charges: readonly Charge[]; readonly settled: readonly number[] }
  | { readonly kind: 'stats'; readonly stats: RunnerStats };
