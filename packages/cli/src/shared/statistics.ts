/** Mean of at least one number. */
export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/**
 * Sample standard deviation, with n − 1 in the denominator; null for fewer than two values, which have no spread.
 */
export function standardDeviation(values: readonly number[]): number | null {
  if (values.length < 2) return null;
  const centre = mean(values);
  const squares = values.reduce((sum, value) => sum + (value - centre) ** 2, 0);
  return Math.sqrt(squares / (values.length - 1));
}

/** Median of at least one number. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** A mean over seeds with its spread. */
export interface Estimate {
  readonly mean: number;
  /** Sample standard deviation over seeds, or null for one seed. */
  readonly sd: number | null;
  /** Number of seeds. */
  readonly n: number;
}

/** Mean and spread of the numbers among the values; null where there is no number. */
export function estimate(values: readonly (number | null | undefined)[]): Estimate | null {
  const present = values.filter((value) => typeof value === 'number');
  if (present.length === 0) return null;
  return { mean: mean(present), sd: standardDeviation(present), n: present.length };
}
