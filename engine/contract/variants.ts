// The variants of a model: what each costs in memory and quality, measured on this machine, and which one answers.
// `GET /api/models/{id}/variants`, `POST /api/models/{id}/promote`, `/rollback`, `PUT /api/models/{id}/text`,
// `GET`, `POST` and `DELETE /api/models/{id}/canary`.

export interface ModelVariants {
  readonly model: string;
  readonly kind: 'decoder' | 'encoder' | 'infer';
  /** What the plain model name means. */
  readonly defaultVariant: string;
  /** What a rollback would go back to; null: nothing was promoted yet. */
  readonly previousVariant: string | null;
  /** Whether a text of the user's own is part of each measurement. */
  readonly hasOwnText: boolean;
  readonly variants: readonly VariantStatus[];
}

export interface VariantStatus {
  readonly name: string;
  readonly precision: string;
  readonly method: string;
  /** Graph and weights on disk. */
  readonly sizeBytes: number;
  /** All tensors counted. */
  readonly bitsPerWeight: number;
  readonly isDefault: boolean;
  /** Null: not measured yet. */
  readonly measured: VariantMeasurement | null;
  /** What one usually expects of this precision; null for float32 itself. */
  readonly expected: VariantExpectation | null;
  /** Whether it may be promoted, and why. */
  readonly gate: GateVerdict;
}

export interface GateVerdict {
  readonly allowed: boolean;
  readonly reason: string;
}

/** Against float32. */
export interface VariantExpectation {
  readonly memoryShare: number;
  /** [from, to] times as fast. */
  readonly speed: readonly [number, number];
  /** [from, to] as a share. */
  readonly loss: readonly [number, number];
}

export interface VariantMeasurement {
  /** Milliseconds since 1970. */
  readonly atMs: number;
  readonly processor: string;
  readonly threads: number;
  /** Share of all processors that others used just before: speeds mean less when it is high. */
  readonly othersBusy: number;
  readonly speed: VariantSpeed;
  /** Of float32, in the same run. */
  readonly referenceSpeed: VariantSpeed;
  readonly quality: readonly TextQuality[];
}

export interface VariantSpeed {
  /** Resident memory that loading and a first run added. */
  readonly memoryBytes: number;
  readonly loadMs: number;
  /** Decoders: tokens of a prompt a second; null for encoders. */
  readonly prefillPerSecond: number | null;
  /** Decoders: tokens of one stream a second; null for encoders. */
  readonly decodePerSecond: number | null;
  /** Encoders: texts a second, one after another; null for decoders. */
  readonly textsPerSecond: number | null;
}

/** How near the variant is to float32 on one text. */
export type TextQuality = DecoderQuality | EncoderQuality;

export interface DecoderQuality {
  readonly kind: 'decoder';
  readonly text: EvaluationTextName;
  readonly positions: number;
  readonly perplexity: number;
  readonly referencePerplexity: number;
  /** Share of positions whose most likely token is the same. */
  readonly top1Agreement: number;
  /** Mean of KL(float32 ‖ variant), nats. */
  readonly meanKl: number;
}

export interface EncoderQuality {
  readonly kind: 'encoder';
  readonly text: EvaluationTextName;
  readonly texts: number;
  readonly meanCosine: number;
  readonly worstCosine: number;
  /** Of each text's ten nearest neighbours by float32, the share that the variant finds too; null for fewer than 20 texts. */
  readonly recallAt10: number | null;
}

/** The product's own text, kept out of calibration, or the user's. */
export type EvaluationTextName = 'bundled' | 'own';

/** Most that a variant may lose to be promoted, as a share: of perplexity for decoders, of cosine for encoders. */
export interface QualitySettings {
  readonly int8Loss: number;
  readonly int4Loss: number;
}

/** A variant that answers a share of a model's conversations until a rule promotes it or takes it back. */
export interface CanaryStatus {
  readonly model: string;
  /** Share of conversations, 0 to 1. A conversation stays with what answered its first question. */
  readonly share: number;
  /** Answers that it must have given before it can be promoted. */
  readonly leastRequests: number;
  readonly startedMs: number;
  /** Null: it goes on. */
  readonly endedMs: number | null;
  readonly canary: CanaryArm;
  /** The default variant, over the same time. */
  readonly baseline: CanaryArm;
  /** What was measured of its quality before it began. */
  readonly quality: string;
  readonly verdict: CanaryVerdict;
}

export interface CanaryArm {
  readonly variant: string;
  /** Computed answers and failures; what a cache answered, or the client left, is not counted. */
  readonly requests: number;
  readonly failures: number;
  /** Median time to the first token of the latest answers, its wait left out; null before one. */
  readonly ttftMs: number | null;
  /** Median time of a token after the first; null before one. */
  readonly tokenMs: number | null;
}

export interface CanaryVerdict {
  /** `stopped`: by a person. */
  readonly kind: 'wait' | 'promote' | 'rollback' | 'stopped';
  readonly reason: string;
}

/** `GET /api/models/{id}/canary` */
export interface CanaryNow {
  readonly running: CanaryStatus | null;
  /** Newest first. */
  readonly ended: readonly CanaryStatus[];
}
