// Numbers as the page writes them. Pure.

/** `412`, `41.2`, `4.1`: three figures at most. */
export function formatRate(perSecond: number): string {
  return perSecond >= 100 || perSecond === 0 ? perSecond.toFixed(0) : perSecond.toFixed(1);
}

/** `15`, `3.2`, `0.05`: three figures at most, and no zeros after them. */
export const formatPlain = (value: number): string => String(Number(value.toPrecision(3)));

/** `135 MB`, `1.2 GB`, `12 kB`; powers of ten, as disks are sold. */
export function formatBytes(bytes: number): string {
  if (bytes >= 1e12) return `${(bytes / 1e12).toFixed(1)} TB`;
  if (bytes >= 1e9) return `${(bytes / 1e9).toFixed(1)} GB`;
  return bytes >= 1e6 || bytes === 0 ? `${Math.round(bytes / 1e6)} MB` : `${Math.ceil(bytes / 1e3)} kB`;
}

/** `9.1 of 16.0 GB`: both in the unit of the whole. */
export function formatBytesOf(part: number, whole: number): string {
  const [divisor, unit] = whole >= 1e9 ? [1e9, 'GB'] : [1e6, 'MB'];
  return `${(part / divisor).toFixed(1)} of ${(whole / divisor).toFixed(1)} ${unit}`;
}

/** `135M`, `1.2B`. */
export function formatParameters(count: number): string {
  if (count >= 1e9) return `${(count / 1e9).toFixed(1)}B`;
  return count >= 1e6 ? `${Math.round(count / 1e6)}M` : String(count);
}

/** `85 ms`, `1.2 s`, `3.4 min`: how long something took. */
export function formatDuration(ms: number): string {
  if (ms < 1000) return ms > 0 && ms < 1 ? '<1 ms' : `${Math.round(ms)} ms`;
  return ms < 120_000 ? `${(ms / 1000).toFixed(1)} s` : `${(ms / 60_000).toFixed(1)} min`;
}

/** `12 s`, `3 min`, `5 h`, `2 days`: a time to wait for, or an age; whole units, so that it does not flicker. */
export function formatSpan(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3_600)} h` : `${Math.round(seconds / 86_400)} days`;
}

/** `3 hours`, for how long the engine has been up. */
export function formatUptime(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 1) return 'less than a minute';
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} hours` : `${Math.floor(hours / 24)} days`;
}

/** `8,192`, the same in every locale so that the page reads as one. */
export const formatCount = (count: number): string => Math.round(count).toLocaleString('en');

/** `$12.34`, `$0.00412`, `$0.000000412`: three figures at least, however small, so that what is read is true to 1%. */
export function formatUsd(usd: number): string {
  if (usd === 0) return '$0';
  const size = Math.abs(usd);
  if (size >= 1) return `${usd < 0 ? '-' : ''}$${size.toLocaleString('en', { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`;
  const decimals = Math.min(14, 2 - Math.floor(Math.log10(size)));
  return `${usd < 0 ? '-' : ''}$${size.toFixed(decimals)}`;
}

/** Below this a price per one is a row of zeros. */
const LEAST_PER_ONE_USD = 0.001;

/** A price for one, or for as many as make it readable: `$0.0042`, or `$5.67` `per million requests`. */
export function formatPrice(usd: number, { many, times }: PriceUnit): Price {
  if (usd === 0 || Math.abs(usd) >= LEAST_PER_ONE_USD) return { value: formatUsd(usd) };
  return { value: formatUsd(usd * times), unit: many };
}

export interface PriceUnit {
  /** How `times` of them are called. */
  readonly many: string;
  readonly times: number;
}

export interface Price {
  readonly value: string;
  /** Absent: it is the price of one. */
  readonly unit?: string;
}

export const PER_REQUEST: PriceUnit = { many: 'per million requests', times: 1e6 };
export const PER_ANSWER: PriceUnit = { many: 'per million answers', times: 1e6 };
export const PER_1K_TOKENS: PriceUnit = { many: 'per million tokens', times: 1e3 };

/** `71%`, `0.4%`, `99.7%`: never rounded to all or to nothing where it is neither. */
export function formatShare(share: number): string {
  const percent = share * 100;
  const size = Math.abs(percent);
  if (size > 0 && size < 0.1) return `${percent < 0 ? '-' : ''}<0.1%`;
  if (size > 99 && size < 100) return `${percent < 0 ? '-' : ''}${(Math.floor(size * 10) / 10).toFixed(1)}%`;
  return `${size !== 0 && size < 1 ? percent.toFixed(1) : percent.toFixed(0)}%`;
}

/** `14:03:22`, in the reader's time zone. */
export const formatClock = (atMs: number): string => new Date(atMs).toLocaleTimeString('en-GB');

/** `24 Nov 14:03:22`, in the reader's time zone. */
export function formatMoment(atMs: number): string {
  const date = new Date(atMs);
  return `${date.toLocaleDateString('en-GB', { day: 'numeric', month: 'short' })} ${formatClock(atMs)}`;
}

/** Something that may be unknown. */
export const orDash = <T>(value: T | null | undefined, format: (value: T) => string): string =>
  value === null || value === undefined ? '–' : format(value);

/** `1 request`, `6 requests`. */
export const plural = (count: number, noun: string): string => `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`;
