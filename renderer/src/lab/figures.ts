// What was measured of a variant, in words, each figure beside what one usually expects of its precision. Pure.
import type { TextQuality, VariantExpectation, VariantMeasurement, VariantStatus } from '../../../engine/contract.ts';
import { formatBytes, formatDuration, formatRate, formatShare } from '../format.ts';

export interface Figure {
  readonly value: string;
  /** Against float32, and what one usually expects; empty where there is nothing to say. */
  readonly beside: readonly string[];
}

const NOTHING: Figure = { value: '–', beside: [] };

export function memoryFigure({ measured, expected }: VariantStatus): Figure {
  if (measured === null) return NOTHING;
  const { speed, referenceSpeed } = measured;
  return {
    value: formatBytes(speed.memoryBytes),
    beside: besides(speed.memoryBytes / referenceSpeed.memoryBytes, expected && `${expected.memoryShare}×`),
  };
}

export function loadFigure({ measured }: VariantStatus): Figure {
  return measured === null ? NOTHING : { value: formatDuration(measured.speed.loadMs), beside: [] };
}

type Rate = 'prefillPerSecond' | 'decodePerSecond' | 'textsPerSecond';

export function speedFigure({ measured, expected }: VariantStatus, rate: Rate): Figure {
  const value = measured?.speed[rate] ?? null;
  const reference = measured?.referenceSpeed[rate] ?? null;
  if (value === null || reference === null) return NOTHING;
  return { value: `${formatRate(value)}/s`, beside: besides(value / reference, expected && `${expected.speed.join('–')}×`) };
}

/** Of each text one figure: how much perplexity or cosine is lost. */
export function lossFigures({ measured, expected }: VariantStatus): readonly Figure[] {
  if (measured === null) return [NOTHING];
  return measured.quality.map((quality) => {
    const text = quality.text === 'own' ? 'your text' : 'bundled text';
    const usual = quality.kind === 'decoder' && expected !== null ? [`expected ${lossWords(expected)}`] : [];
    return { value: signedShare(lossOf(quality)), beside: [text, ...usual] };
  });
}

function lossOf(quality: TextQuality): number {
  return quality.kind === 'decoder' ? quality.perplexity / quality.referencePerplexity - 1 : 1 - quality.meanCosine;
}

/** How near the answers are: top-1 and divergence of a decoder, recall and worst cosine of an encoder. */
export function nearnessFigures({ measured }: VariantStatus): readonly Figure[] {
  if (measured === null) return [NOTHING];
  return measured.quality.map((quality) =>
    quality.kind === 'decoder'
      ? { value: formatShare(quality.top1Agreement), beside: [`KL ${quality.meanKl.toFixed(4)}`] }
      : {
          value: quality.recallAt10 === null ? '–' : formatShare(quality.recallAt10),
          beside: [`worst cosine ${quality.worstCosine.toFixed(4)}`],
        },
  );
}

/** `0.31×`, `expected 0.25×` */
function besides(times: number, usual: string | null): readonly string[] {
  return [`${times.toFixed(2)}×`, ...(usual === null ? [] : [`expected ${usual}`])];
}

function lossWords({ loss: [from, to] }: VariantExpectation): string {
  return from === 0 ? `under ${to * 100}%` : `${from * 100}–${to * 100}%`;
}

/** `+0.41%`, `-0.12%`: a variant can be better by chance. */
function signedShare(share: number): string {
  return `${share < 0 ? '' : '+'}${(share * 100).toFixed(2)}%`;
}

/** Above this share of the processors in use by others speeds say little. */
const BUSY = 0.3;

/** Null when nothing disturbed the measurement. */
export function disturbance({ othersBusy }: VariantMeasurement): string | null {
  return othersBusy > BUSY ? `Others used ${formatShare(othersBusy)} of the processors, so speeds are lower than they can be.` : null;
}
