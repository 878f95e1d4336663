// Decides what to say about the size of models and devices, with numbers from history and measurements. Pure.
import type { ModelStatus, RentPrice, SizingAdvice } from '../contract.ts';
import type { Evidence, VariantEvidence } from './evidence.ts';
import { bytes, percent, usd } from './judge.ts';

/** Bits of a weight; scales and tables not counted. */
const BITS: Readonly<Record<string, number>> = { fp32: 32, fp16: 16, int8: 8, int4: 4 };
const HOURS_A_MONTH = 730;
/** Below this share of a device in the busiest hour, a smaller one would do. */
const SPARE = 0.5;

export function sizingAdvice(evidence: Evidence): readonly SizingAdvice[] {
  return [...evidence.models.flatMap((model) => modelAdvice(model, evidence.variants)), ...loadAdvice(evidence)];
}

function modelAdvice(model: ModelStatus, variants: readonly VariantEvidence[]): readonly SizingAdvice[] {
  const bits = BITS[model.precision];
  if (bits === undefined || bits <= 8) return [];
  const measured = variants.find((variant) => variant.model === model.id && variant.precision === 'int8');
  const smallBytes = measured?.sizeBytes ?? (model.sizeBytes * 8) / bits;
  const loss = measured?.lossShare ?? null;
  const quality = loss === null ? 'its quality at INT8 was not measured' : `it would cost ${percent(loss)} of quality`;
  return [
    {
      id: `int8:${model.id}`,
      subject: model.id,
      kind: 'change',
      sentence: `${model.id} at INT8 would free ${bytes(model.sizeBytes - smallBytes)}; ${quality}.`,
      basis:
        measured === undefined
          ? `${bytes(model.sizeBytes)} at ${model.precision.toUpperCase()}, and 8 instead of ${bits} bits a weight.`
          : 'The size and the perplexity of the installed INT8 variant.',
    },
  ];
}

function loadAdvice({ traffic, settings, dayDevicesUsd }: Evidence): readonly SizingAdvice[] {
  const { utilisation, peakUtilisation, sampledMinutes } = traffic;
  if (utilisation === null || peakUtilisation === null || traffic.requests === 0) return [];
  const basis = 'The share of the time in which devices worked, over the sampled hours of the last seven days.';
  const share = `This load needs ${deviceShare(utilisation)} of your device on average and ${deviceShare(peakUtilisation)} in its busiest hour.`;
  const room = peakUtilisation < SPARE ? ` Half of it stays free at any time.` : '';
  const load: SizingAdvice = { id: 'load', subject: 'device', kind: 'note', sentence: share + room, basis };
  return [load, ...settings.cost.rentPrices.map((price) => rentAdvice(price, dayDevicesUsd, sampledMinutes))];
}

const deviceShare = (share: number): string => String(Number(Math.max(share, 0.01).toFixed(2)));

/** A rented device is paid by the hour, whatever it does. */
function rentAdvice({ name, usdPerHour }: RentPrice, devicesUsd: number, sampledMinutes: number): SizingAdvice {
  const ownUsd = sampledMinutes >= 60 ? (devicesUsd / (sampledMinutes / 60)) * HOURS_A_MONTH : null;
  const own = ownUsd === null || ownUsd === 0 ? '' : ` Your own costs ${usd(ownUsd)} a month at the present rate.`;
  return {
    id: `rent:${name}`,
    subject: name,
    kind: 'note',
    sentence: `The same on a rented ${name} would cost ${usd(usdPerHour * HOURS_A_MONTH)} a month.${own}`,
    basis: `${usd(usdPerHour)} an hour by the settings, ${HOURS_A_MONTH} hours a month; whether a ${name} bears this load was not measured.`,
  };
}
