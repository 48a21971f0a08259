// Numbers and vectors without rounding: whole numbers over one positive denominator. Not a library of fractions: the
// usual ones read a double such as 0.1 as 1/10, and reduce after every operation, which solvers have no time for.

/** A number, without rounding. */
export interface ExactNumber {
  readonly numerator: bigint;
  /** Greater than zero. */
  readonly denominator: bigint;
}

/** Numbers over one denominator, without rounding. */
export interface ExactVector {
  readonly numerators: readonly bigint[];
  /** Greater than zero. */
  readonly denominator: bigint;
}

/** Finite doubles as what they are to the last bit: 0.1 is 3602879701896397 / 2⁵⁵. */
export function exactVector(numbers: ArrayLike<number>): ExactVector {
  const parts = Array.from(numbers, significandAndExponent);
  const lowest = parts.reduce((least, { exponent }) => Math.min(least, exponent), 0);
  return {
    numerators: parts.map(({ significand, exponent }) => significand << BigInt(exponent - lowest)),
    denominator: 1n << BigInt(-lowest),
  };
}

/** The double nearest to a number, within one unit in its last place. */
export function nearestDouble({ numerator, denominator }: ExactNumber): number {
  if (numerator === 0n) return 0;
  const magnitude = numerator < 0n ? -numerator : numerator;
  // 64 or 65 bits of the quotient.
  const shift = 64 - (bits(magnitude) - bits(denominator));
  const quotient =
    shift >= 0
      ? (magnitude << BigInt(shift)) / denominator
      : magnitude / (denominator << BigInt(-shift));
  // In two steps: 2 ** -shift alone may be less than the smallest double.
  const half = Math.trunc(shift / 2);
  const value = Number(quotient) * 2 ** -half * 2 ** -(shift - half);
  return numerator < 0n ? -value : value;
}

/** Every number of a vector, as {@link nearestDouble} has it. */
export function nearestDoubles({ numerators, denominator }: ExactVector): number[] {
  return numerators.map((numerator) => nearestDouble({ numerator, denominator }));
}

/** Negative where a < b, zero where they are equal, positive where a > b. */
export function compareExactly(a: ExactNumber, b: ExactNumber): number {
  const difference = a.numerator * b.denominator - b.numerator * a.denominator;
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

/** a − b. */
export function subtractExactly(a: ExactVector, b: ExactVector): ExactVector {
  return {
    numerators: a.numerators.map(
      (value, at) => value * b.denominator - b.numerators[at]! * a.denominator,
    ),
    denominator: a.denominator * b.denominator,
  };
}

/** The inner product. */
export function dotExactly(a: ExactVector, b: ExactVector): ExactNumber {
  return {
    numerator: a.numerators.reduce((sum, value, at) => sum + value * b.numerators[at]!, 0n),
    denominator: a.denominator * b.denominator,
  };
}

/** The Euclidean norm, as the nearest double or one beside it. */
export function exactLength(vector: ExactVector): number {
  const { numerator, denominator } = dotExactly(vector, vector);
  // An even number of binary places is taken out first, for squares that doubles do not reach.
  const places = 2 * Math.trunc((bits(numerator) - bits(denominator)) / 2);
  const scaled =
    places >= 0
      ? { numerator, denominator: denominator << BigInt(places) }
      : { numerator: numerator << BigInt(-places), denominator };
  return Math.sqrt(nearestDouble(scaled)) * 2 ** (places / 2);
}

/** The same vector with the least denominator. */
export function reduceExactly({ numerators, denominator }: ExactVector): ExactVector {
  const divisor = numerators.reduce(greatestCommonDivisor, denominator);
  return {
    numerators: numerators.map((value) => value / divisor),
    denominator: denominator / divisor,
  };
}

function greatestCommonDivisor(a: bigint, b: bigint): bigint {
  while (b !== 0n) [a, b] = [b, a % b];
  return a < 0n ? -a : a;
}

function bits(value: bigint): number {
  return value.toString(16).length * 4;
}

/** `value = significand · 2^exponent` with a whole significand. */
function significandAndExponent(value: number): { significand: bigint; exponent: number } {
  if (!Number.isFinite(value)) throw new RangeError(`There is no exact number for ${value}.`);
  let exponent = 0;
  while (!Number.isInteger(value)) {
    value *= 2;
    exponent -= 1;
  }
  return { significand: BigInt(value), exponent };
}
