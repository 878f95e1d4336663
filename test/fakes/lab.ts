// Variants of one fake model, in memory: what was measured, which answers, and which jobs were asked for.
import type { JobStatus, ModelVariants, QualitySettings, VariantMeasurement, VariantSpeed, VariantStatus } from '../../engine/contract.ts';
import { EngineError } from '../../engine/errors.ts';
import type { PromoteWish, VariantControl } from '../../engine/fleet/control.ts';
import type { EvaluateRequest, LabJobs, QuantiseRequest } from '../../engine/jobs/job-control.ts';
import { EXPECTATIONS, judgeVariant } from '../../engine/models/quantise/judge-variant.ts';

const FP32: VariantSpeed = { memoryBytes: 540e6, loadMs: 400, prefillPerSecond: 700, decodePerSecond: 50, textsPerSecond: null };

/** As measured: this share of perplexity lost. */
export function aMeasurement(loss: number): VariantMeasurement {
  return {
    atMs: 1_700_000_000_000,
    processor: 'A processor',
    threads: 2,
    othersBusy: 0.1,
    speed: { memoryBytes: 160e6, loadMs: 200, prefillPerSecond: 2100, decodePerSecond: 140, textsPerSecond: null },
    referenceSpeed: FP32,
    quality: [
      {
        kind: 'decoder',
        text: 'bundled',
        positions: 1500,
        perplexity: 20 * (1 + loss),
        referencePerplexity: 20,
        top1Agreement: 0.97,
        meanKl: 0.004,
      },
    ],
  };
}

type Variant = Pick<VariantStatus, 'name' | 'measured'> & { readonly precision: 'fp32' | 'int8' | 'int4' };

export class FakeLab implements VariantControl, LabJobs {
  readonly asked: (Omit<QuantiseRequest, 'kind'> | Omit<EvaluateRequest, 'kind'>)[] = [];
  readonly texts: (string | null)[] = [];
  variants: readonly Variant[] = [
    { name: 'int8', precision: 'int8', measured: aMeasurement(0.004) },
    { name: 'int4', precision: 'int4', measured: aMeasurement(0.09) },
    { name: 'fp32', precision: 'fp32', measured: null },
  ];
  #answering = ['int8'];
  readonly #model: string;

  constructor(model: string) {
    this.#model = model;
  }

  async list(model: string, bars: QualitySettings): Promise<ModelVariants> {
    if (model !== this.#model) throw new EngineError('model_not_found', `No model named ${model} is installed.`, { param: 'model' });
    const defaultVariant = this.#answering.at(-1) ?? '';
    return {
      model,
      kind: 'decoder',
      defaultVariant,
      previousVariant: this.#answering.at(-2) ?? null,
      hasOwnText: (this.texts.at(-1) ?? null) !== null,
      variants: this.variants.map((variant) => ({
        ...variant,
        method: `${variant.precision} weights`,
        sizeBytes: 145e6,
        bitsPerWeight: 8.6,
        isDefault: variant.name === defaultVariant,
        expected: EXPECTATIONS[variant.precision],
        gate: judgeVariant(variant, variant.measured, bars),
      })),
    };
  }

  async promote({ model, variant, force }: PromoteWish, bars: QualitySettings): Promise<void> {
    const found = (await this.list(model, bars)).variants.find(({ name }) => name === variant);
    if (found === undefined) throw new EngineError('model_not_found', `The model ${model} has no variant ${variant}.`);
    if (!found.gate.allowed && !force) throw new EngineError('quality_below_bar', found.gate.reason, { param: 'variant' });
    this.#answering = [...this.#answering, variant];
  }

  async rollBack(model: string): Promise<void> {
    if (this.#answering.length < 2) throw new EngineError('invalid_request', `Nothing was promoted in ${model}.`, { param: 'model' });
    this.#answering = this.#answering.slice(0, -1);
  }

  async decodeBytesPerSecond(): Promise<number> {
    return 12e9;
  }

  async setText(_model: string, text: string | null): Promise<void> {
    this.texts.push(text);
  }

  quantise(request: Omit<QuantiseRequest, 'kind'>): JobStatus {
    this.asked.push(request);
    return jobOf('quantise', `${request.model} to ${request.precision}`);
  }

  evaluate(request: Omit<EvaluateRequest, 'kind'>): JobStatus {
    this.asked.push(request);
    return jobOf('evaluate', `${request.model}:${request.variant}`);
  }
}

function jobOf(kind: JobStatus['kind'], title: string): JobStatus {
  const times = { rate: null, etaMs: null, startedMs: 1, endedMs: null };
  return { id: `${kind}-1`, kind, title, state: 'running', step: 'Measuring', done: 3, total: 100, unit: 'steps', result: null, ...times };
}
