import type { Functional } from '@multigrad/core/support';

/** A mean over samples, with how far samples drawn anew may lie from it. */
export interface SampleMean {
  readonly value: number;
  /** Standard error over samples; null for fewer than two samples. */
  readonly standardError: number | null;
  /** Ends of the interval of 95 %, `value ± 1.96 standardError`; null for fewer than two samples. */
  readonly low: number | null;
  readonly high: number | null;
}

/** The quantile of the standard normal distribution at 97.5 %. */
const normalQuantile = 1.959963984540054;

/**
 * Sums and products of the values that samples give to coalitions. Any figure that is linear in the values of a game is a
 * mean over samples of the same figure of each sample's game, so its standard error follows from these, as in a paired
 * comparison: what the coalitions of a sample have in common cancels out.
 */
export class Moments {
  samples = 0;
  readonly sums: Float64Array;
  /** Row by row the sums of products of two coalitions' values. */
  readonly #products: Float64Array;

  constructor(coalitions: number) {
    this.sums = new Float64Array(coalitions);
    this.#products = new Float64Array(coalitions * coalitions);
  }

  /** Takes in one sample's values, one for each coalition. */
  add(values: ArrayLike<number>): void {
    const { sums } = this;
    const { length } = sums;
    this.samples += 1;
    for (let a = 0; a < length; a++) {
      const value = values[a]!;
      sums[a]! += value;
      if (value === 0) continue;
      for (let b = 0; b < length; b++) this.#products[a * length + b]! += value * values[b]!;
    }
  }

  /** Takes in what another one has. */
  addAll(other: Moments): void {
    this.samples += other.samples;
    other.sums.forEach((sum, a) => (this.sums[a]! += sum));
    other.#products.forEach((product, ab) => (this.#products[ab]! += product));
  }

  /** Mean value of a coalition. */
  mean(coalition: number): number {
    return this.sums[coalition]! / this.samples;
  }

  /** The mean over samples of a figure that is linear in the values. Of counts the numerator is summed up in integers. */
  meanOf({ weights, divisor }: Functional): SampleMean {
    const { samples, sums } = this;
    const { length } = sums;
    let total = 0;
    let squares = 0;
    weights.forEach((weight, a) => {
      if (weight === 0) return;
      total += weight * sums[a]!;
      for (let b = 0; b < length; b++) {
        squares += weight * weights[b]! * this.#products[a * length + b]!;
      }
    });
    const value = total / (divisor * samples);
    if (samples < 2) return { value, standardError: null, low: null, high: null };
    // Rounding may leave a negative number where all samples agree.
    const variance = Math.max(0, (squares - (total * total) / samples) / (samples - 1));
    const standardError = Math.sqrt(variance / samples) / divisor;
    const reach = normalQuantile * standardError;
    return { value, standardError, low: value - reach, high: value + reach };
  }
}
