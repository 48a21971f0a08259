import { gradientFromSums } from '@multigrad/core';
import { assertFirstOrder } from '@multigrad/core/kernels';
import * as tf from '@tensorflow/tfjs-core';
import type { ReceiveMoments } from './standardize.ts';
import { scaleAndShift } from './standardize.ts';

/** Adds up numbers over the ranks, in place, within a forward or backward pass; all ranks get the same bits. */
type SumNow = (values: Float64Array) => void;

/** What one batch normalisation takes. */
export interface NormInput {
  readonly x: tf.Tensor;
  readonly gamma: tf.Tensor;
  readonly beta: tf.Tensor;
  readonly receive: ReceiveMoments;
}

/** Mean and variance of each channel over all ranks, and the number of rows they are over. */
interface Moments {
  readonly mean: Float64Array;
  readonly variance: Float64Array;
  readonly count: number;
}

/**
 * `y = γ · (x − μ)/√(σ² + ε) + β` with mean and variance of each channel (the last axis) over the samples of all ranks, and
 * the total derivative through μ and σ² too: sums of all ranks there as well. Several inputs share one exchange.
 *
 * `∂L/∂x = (g − Σg/n − x̂ · Σ(g · x̂)/n)/√(σ² + ε)`, g = ∂L/∂x̂, with sums and n over all ranks.
 */
export function normalizeTogether(
  inputs: readonly NormInput[],
  epsilon: number,
  sumNow: SumNow,
): tf.Tensor[] {
  // Found within the first operation, so that what finds them is not recorded.
  let found: readonly Moments[] | null = null;
  const moments = (): readonly Moments[] =>
    (found ??= momentsOfAll(
      inputs.map(({ x }) => x),
      sumNow,
    ));
  return inputs.map(({ x, gamma, beta, receive }, index) => {
    const standardized = standardizeTogether(x, () => moments()[index]!, epsilon, receive, sumNow);
    return scaleAndShift(standardized, gamma, beta);
  });
}

function standardizeTogether(
  x: tf.Tensor,
  moments: () => Moments,
  epsilon: number,
  receive: ReceiveMoments,
  sumNow: SumNow,
): tf.Tensor {
  const channels = x.shape.at(-1)!;
  const rows = x.size / channels;
  const flat = (value: tf.Tensor): tf.Tensor2D => tf.reshape(value, [rows, channels]);
  const vector = (numbers: Float64Array): tf.Tensor1D => tf.tensor1d(Float32Array.from(numbers));
  const operation = tf.customGrad((...inputs: (tf.Tensor | tf.GradSaveFunc)[]) => {
    const [input, save] = inputs as [tf.Tensor, tf.GradSaveFunc];
    const samples = flat(input);
    const { mean, variance, count } = moments();
    const [centre, spread] = [vector(mean), vector(variance)];
    receive(centre, spread);
    const scale = tf.rsqrt(tf.add(spread, epsilon));
    const standardized = tf.mul(tf.sub(samples, centre), scale);
    const value = tf.reshape(standardized, input.shape);
    save([value, scale]);
    return {
      value,
      gradFunc: (gradient: tf.Tensor, saved: tf.Tensor[]) => {
        assertFirstOrder('a batch normalisation over several ranks');
        const [normal, factor] = saved as [tf.Tensor, tf.Tensor];
        const g = flat(gradient);
        const own = Float64Array.from(columnSums([g, tf.mul(g, flat(normal))]));
        return gradientFromSums(own, sumNow, (sums) => {
          const both = sums.map((sum) => sum / count);
          const shift = vector(both.subarray(0, channels));
          const slope = vector(both.subarray(channels));
          const along = tf.add(tf.mul(flat(normal), slope), shift);
          return tf.reshape(tf.mul(tf.sub(flat(gradient), along), factor), gradient.shape);
        });
      },
    };
  });
  return operation(x);
}

/**
 * Mean and variance of each channel of several inputs over the rows of all ranks, in one exchange.
 *
 * Each rank finds its own mean m and M2 = Σ(x − m)², and `n m`, `M2 + n m²` and n are added up in float64. The sum of squares
 * loses (μ/σ)² · 2⁻⁵³ of the variance, which is less than float32 inputs have lost unless |μ| is a million times σ.
 */
function momentsOfAll(inputs: readonly tf.Tensor[], sumNow: SumNow): Moments[] {
  const own = inputs.map(sumsOf);
  const sums = new Float64Array(own.reduce((total, { length }) => total + length, 0));
  let offset = 0;
  for (const one of own) {
    sums.set(one, offset);
    offset += one.length;
  }
  sumNow(sums);
  offset = 0;
  return own.map(({ length }) => momentsIn(sums.subarray(offset, (offset += length))));
}

/** This rank's `n m` of each channel, then its `M2 + n m²`, then n. */
function sumsOf(input: tf.Tensor): Float64Array {
  const columns = input.shape.at(-1)!;
  const rows = input.size / columns;
  const own = tf.tidy(() => {
    const samples = tf.reshape(input, [rows, columns]);
    // Two passes: squares of numbers far from zero would cost digits of float32.
    const mean = tf.mean(samples, 0);
    const centred = tf.sub(samples, mean);
    return tf.concat([mean, tf.sum(centred, 0), tf.sum(tf.square(centred), 0)]);
  });
  const values = own.dataSync();
  own.dispose();
  const sums = new Float64Array(2 * columns + 1);
  for (let column = 0; column < columns; column += 1) {
    // The rounded mean is a little off the mean: `rest` = Σ(x − m) is what it lacks.
    const [mean, rest, squares] = [0, 1, 2].map((part) => values[part * columns + column]!);
    sums[column] = rows * mean! + rest!;
    sums[columns + column] = squares! + 2 * mean! * rest! + rows * mean! ** 2;
  }
  sums[2 * columns] = rows;
  return sums;
}

/** The moments that sums as those of {@link sumsOf} stand for. */
function momentsIn(sums: Float64Array): Moments {
  const columns = (sums.length - 1) / 2;
  const count = sums[2 * columns]!;
  const mean = sums.slice(0, columns).map((sum) => sum / count);
  const variance = mean.map((centre, column) =>
    Math.max(0, sums[columns + column]! / count - centre ** 2),
  );
  return { mean, variance, count };
}

/** The sums of the columns of matrices, one matrix after the other, in one read-back. */
function columnSums(matrices: readonly tf.Tensor2D[]): Float32Array {
  const sums = tf.tidy(() => tf.concat(matrices.map((matrix) => tf.sum(matrix, 0))));
  const values = sums.dataSync<'float32'>();
  sums.dispose();
  return values;
}
