// Numbers between two bounds, as grammars over their digits. Exact: the bounds are taken as the decimal numbers they are written as.
// Pure; exponents are not written where there are bounds.
import { charSet } from '../char-set.ts';
import { chars, choice, EMPTY, NOTHING, optional, repeat, sequence, text, type GrammarNode } from '../grammar.ts';
import { digits } from './json-text.ts';

export interface Bound {
  readonly value: number;
  readonly isExclusive: boolean;
}

export interface Bounds {
  readonly min: Bound | null;
  readonly max: Bound | null;
}

/** Digits of a fraction that are written at most, beyond those that a bound has. */
const FREE_DIGITS = 12;

/** Integers within the bounds. */
export function integersWithin({ min, max }: Bounds): GrammarNode {
  const low = min === null ? null : BigInt(Math.ceil(min.value)) + (min.isExclusive && Number.isInteger(min.value) ? 1n : 0n);
  const high = max === null ? null : BigInt(Math.floor(max.value)) - (max.isExclusive && Number.isInteger(max.value) ? 1n : 0n);
  const negative = low === null || low < 0n ? naturals(high === null || high >= 0n ? 1n : -high, low === null ? null : -low) : NOTHING;
  const positive = high === null || high >= 0n ? naturals(low === null || low < 0n ? 0n : low, high) : NOTHING;
  return choice(sequence(text('-'), negative), positive);
}

/** Natural numbers from `low` to `high` without leading zeros; `high` null: as many digits as a double holds. */
function naturals(low: bigint, high: bigint | null): GrammarNode {
  if (high !== null && low > high) return NOTHING;
  const first = String(low);
  const longest = high === null ? Math.max(digits.maxDigits, first.length) : String(high).length;
  const branches: GrammarNode[] = [];
  for (let length = first.length; length <= longest; length++) {
    const from = length === first.length ? first : `1${'0'.repeat(length - 1)}`;
    const to = high !== null && length === String(high).length ? String(high) : '9'.repeat(length);
    branches.push(sameLength(from, to));
  }
  return choice(...branches);
}

const digitRange = (from: number, to: number): GrammarNode => (from > to ? NOTHING : chars(charSet([0x30 + from, 0x30 + to])));

/** Digit strings of one length, from the lower to the higher. */
function sameLength(from: string, to: string): GrammarNode {
  if (from === '') return EMPTY;
  const [first, last] = [Number(from[0]), Number(to[0])];
  const [lowRest, highRest] = [from.slice(1), to.slice(1)];
  if (/^0*$/.test(lowRest) && /^9*$/.test(highRest))
    return sequence(digitRange(first, last), repeat(digits.any, lowRest.length, lowRest.length));
  if (first === last) return sequence(digitRange(first, first), sameLength(lowRest, highRest));
  return choice(
    sequence(digitRange(first, first), sameLength(lowRest, '9'.repeat(lowRest.length))),
    sequence(digitRange(first + 1, last - 1), repeat(digits.any, lowRest.length, lowRest.length)),
    sequence(digitRange(last, last), sameLength('0'.repeat(highRest.length), highRest)),
  );
}

/** A decimal number without a sign. */
interface Decimal {
  readonly whole: bigint;
  /** Digits after the point, without zeros at the end. */
  readonly fraction: string;
  readonly isExclusive: boolean;
}

/** Decimal numbers within the bounds. */
export function decimalsWithin({ min, max }: Bounds): GrammarNode {
  const positive = unsigned(min !== null && min.value >= 0 ? decimalOf(min) : null, max, 1);
  const negative = unsigned(max !== null && max.value <= 0 ? decimalOf(max) : null, min, -1);
  // Zero has no sign here.
  return choice(positive, sequence(text('-'), negative));
}

/** Numbers of one sign from `near` (null: zero) away from zero up to the bound `far`. */
function unsigned(near: Decimal | null, far: Bound | null, sign: 1 | -1): GrammarNode {
  if (far !== null && far.value * sign < 0) return NOTHING;
  const low = near ?? { whole: 0n, fraction: '', isExclusive: sign < 0 };
  return between(low, far === null ? null : decimalOf(far));
}

function between(low: Decimal, high: Decimal | null): GrammarNode {
  if (high === null) return choice(withWhole(low.whole, atLeast(low)), sequence(naturals(low.whole + 1n, null), anyFraction));
  if (low.whole > high.whole) return NOTHING;
  if (low.whole === high.whole) return withWhole(low.whole, fractionsBetween(low, high));
  return choice(
    withWhole(low.whole, atLeast(low)),
    sequence(naturals(low.whole + 1n, high.whole - 1n), anyFraction),
    withWhole(high.whole, atMost(high)),
  );
}

const withWhole = (whole: bigint, fraction: GrammarNode): GrammarNode => sequence(text(String(whole)), fraction);
const free = repeat(digits.any, 0, FREE_DIGITS);
const zeros = repeat(text('0'), 0, FREE_DIGITS);
const anyFraction = optional(sequence(text('.'), digits.any, free));
/** Digits that are not all zero. */
const someValue = sequence(zeros, digits.nonZero, free);

const atLeast = ({ fraction, isExclusive }: Decimal): GrammarNode => {
  const isZero = fraction === '' && !isExclusive;
  return choice(sequence(text('.'), digitsAtLeast(fraction, isExclusive)), ...(isZero ? [EMPTY] : []));
};

/** Digits after the point that make at least this fraction; at least one digit. */
function digitsAtLeast(fraction: string, isExclusive: boolean): GrammarNode {
  if (fraction === '') return isExclusive ? someValue : sequence(digits.any, free);
  return choice(
    ...Array.from(fraction, (digit, place) => sequence(text(fraction.slice(0, place)), digitRange(Number(digit) + 1, 9), free)),
    sequence(text(fraction), isExclusive ? someValue : free),
  );
}

const atMost = ({ fraction, isExclusive }: Decimal): GrammarNode => {
  const isOwn = fraction !== '' || !isExclusive;
  return isOwn ? choice(EMPTY, sequence(text('.'), digitsAtMost(fraction, isExclusive))) : NOTHING;
};

function digitsAtMost(fraction: string, isExclusive: boolean): GrammarNode {
  const lower = Array.from(fraction, (digit, place) => sequence(text(fraction.slice(0, place)), digitRange(0, Number(digit) - 1), free));
  const shorter = Array.from(fraction.slice(1), (_, place) => text(fraction.slice(0, place + 1)));
  const equal = isExclusive ? [] : [fraction === '' ? sequence(text('0'), zeros) : sequence(text(fraction), zeros)];
  return choice(...lower, ...shorter, ...equal);
}

/** Fractions of one whole number between two. */
function fractionsBetween(low: Decimal, high: Decimal): GrammarNode {
  const order = compareFractions(low.fraction, high.fraction);
  if (order > 0 || (order === 0 && (low.isExclusive || high.isExclusive))) return NOTHING;
  const isBare = low.fraction === '' && !low.isExclusive;
  if (order === 0)
    return sequence(
      low.fraction === '' ? EMPTY : text(`.${low.fraction}`),
      low.fraction === '' ? optional(sequence(text('.0'), zeros)) : zeros,
    );
  return choice(...(isBare ? [EMPTY] : []), sequence(text('.'), digitsBetween(low, high)));
}

// Both fractions are padded to one length, so that only their last digit can be followed freely.
function digitsBetween(low: Decimal, high: Decimal): GrammarNode {
  const length = Math.max(low.fraction.length, high.fraction.length);
  const [from, to] = [low.fraction.padEnd(length, '0'), high.fraction.padEnd(length, '0')];
  const shared = Array.from(from).findIndex((digit, place) => digit !== to[place]);
  const [first, last] = [Number(from[shared]), Number(to[shared])];
  const [lowRest, highRest] = [from.slice(shared + 1).replace(/0+$/, ''), to.slice(shared + 1).replace(/0+$/, '')];
  const lowest = sequence(digitRange(first, first), lowRest === '' && !low.isExclusive ? free : digitsAtLeast(lowRest, low.isExclusive));
  const inner = sequence(digitRange(first + 1, last - 1), free);
  const isOwn = highRest !== '' || !high.isExclusive;
  const highest = isOwn ? sequence(digitRange(last, last), optional(digitsAtMost(highRest, high.isExclusive))) : NOTHING;
  return sequence(text(from.slice(0, shared)), choice(lowest, inner, highest));
}

function compareFractions(a: string, b: string): number {
  const length = Math.max(a.length, b.length);
  const [left, right] = [a.padEnd(length, '0'), b.padEnd(length, '0')];
  return left < right ? -1 : left > right ? 1 : 0;
}

function decimalOf({ value, isExclusive }: Bound): Decimal {
  const [whole = '0', fraction = ''] = plainDecimal(Math.abs(value)).split('.');
  return { whole: BigInt(whole), fraction: fraction.replace(/0+$/, ''), isExclusive };
}

/** The shortest decimal that means this double, without an exponent. */
function plainDecimal(value: number): string {
  const [mantissa = '0', exponent = '0'] = String(value).split('e');
  const [whole = '0', fraction = ''] = mantissa.split('.');
  const shift = Number(exponent);
  if (shift >= 0) return `${whole}${fraction.padEnd(shift, '0').slice(0, shift)}.${fraction.slice(shift)}`;
  const padded = whole.padStart(1 - shift, '0');
  return `${padded.slice(0, shift)}.${padded.slice(shift)}${fraction}`;
}
