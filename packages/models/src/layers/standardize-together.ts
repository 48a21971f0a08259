import * as tf from '@tensorflow/tfjs-core';
import { assertFirstOrder } from '../second-order.ts';
import type { ReceiveMoments } from './standardize.ts';
import { scaleAndShift } from './standardize.ts';

/** Adds up numbers over the ranks, in place, within a forward or backward pass; all ranks get the same bits. */
type SumNow = (values: Float64Array) => void;

/**
 * `y = γ · (x − μ)/√(σ² + ε) + β` with mean and variance of each channel (the last axis) over the samples of all ranks, and
 * the total derivative through μ and σ² too: sums of all ranks there as well.
 *
 * `∂L/∂x = (g − Σg/n − x̂ · Σ(g · x̂)/n)/√(σ² + ε)`, g = ∂L/∂x̂, with sums and n over all ranks.
 */
export function normalizeTogether(
  x: tf.Tensor,
  gamma: tf.Tensor,
  beta: tf.Tensor,
  epsilon: number,
  receive: ReceiveMoments,
  sumNow: SumNow,
): tf.Tensor {
  return scaleAndShift(standardizeTogether(x, epsilon, receive, sumNow), gamma, beta);
}

function standardizeTogether(
  x: tf.Tensor,
  epsilon: number,
  receive: ReceiveMoments,
  sumNow: SumNow,
): tf.Tensor {
  const channels = x.shape.at(-1)!;
  const rows = x.size / channels;
  const flat = (value: tf.Tensor): tf.Tensor2D => tf.reshape(value, [rows, channels]);
  // Sums are float64: those over many ranks should not lose digits that each of them had.
  const sumsOf = (values: readonly tf.Tensor[], further: readonly number[] = []): Float64Array => {
    const own = values.flatMap((value) => [...tf.sum(value, 0).dataSync()]);
    const sums = Float64Array.from([...own, ...further]);
    sumNow(sums);
    return sums;
  };
  const vector = (numbers: Float64Array): tf.Tensor1D => tf.tensor1d(Float32Array.from(numbers));
  const operation = tf.customGrad((...inputs: (tf.Tensor | tf.GradSaveFunc)[]) => {
    const [input, save] = inputs as [tf.Tensor, tf.GradSaveFunc];
    const samples = flat(input);
    // Mean and variance take two passes: squares of numbers far from zero would cost digits.
    const sums = sumsOf([samples], [rows]);
    const count = sums[channels]!;
    const mean = vector(sums.subarray(0, channels).map((sum) => sum / count));
    const centred = tf.sub(samples, mean);
    const squares = sumsOf([tf.square(centred)]);
    const variance = vector(squares.map((sum) => sum / count));
    receive(mean, variance);
    const scale = tf.rsqrt(tf.add(variance, epsilon));
    const standardized = tf.mul(centred, scale);
    const value = tf.reshape(standardized, input.shape);
    save([value, scale]);
    return {
      value,
      gradFunc: (gradient: tf.Tensor, saved: tf.Tensor[]) => {
        assertFirstOrder('a batch normalisation over several ranks');
        const [normal, factor] = saved as [tf.Tensor, tf.Tensor];
        const [g, unit] = [flat(gradient), flat(normal)];
        const both = sumsOf([g, tf.mul(g, unit)]).map((sum) => sum / count);
        const shift = vector(both.subarray(0, channels));
        const slope = vector(both.subarray(channels));
        const along = tf.add(tf.mul(unit, slope), shift);
        return tf.reshape(tf.mul(tf.sub(g, along), factor), gradient.shape);
      },
    };
  });
  return operation(x);
}
