/** Counts of values in equal bins, with the sums that TensorBoard keeps beside them. */
export interface Histogram {
  readonly min: number;
  readonly max: number;
  /** How many finite values there are. */
  readonly count: number;
  readonly sum: number;
  readonly sumOfSquares: number;
  /** Right ends of the bins; the first begins at `min`. */
  readonly limits: readonly number[];
  readonly counts: readonly number[];
}

const bins = 30;

/** The histogram of the finite ones among some values; null where there is none. */
export function histogramOf(values: Iterable<number>): Histogram | null {
  let [min, max, count, sum, sumOfSquares] = [Infinity, -Infinity, 0, 0, 0];
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    min = Math.min(min, value);
    max = Math.max(max, value);
    count += 1;
    sum += value;
    sumOfSquares += value * value;
  }
  if (count === 0) return null;
  const width = (max - min) / bins;
  // One value, or values so close that bins would coincide.
  if (!(min + width > min)) {
    return { min, max, count, sum, sumOfSquares, limits: [max], counts: [count] };
  }
  const counts = new Array<number>(bins).fill(0);
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    counts[Math.min(bins - 1, Math.floor((value - min) / width))]! += 1;
  }
  const limits = counts.map((_, bin) => (bin === bins - 1 ? max : min + (bin + 1) * width));
  return { min, max, count, sum, sumOfSquares, limits, counts };
}
