import { matMul, reshape, type Tensor, tidy } from '@tensorflow/tfjs-core';
import { runKernel } from '../kernels/run-kernel.ts';
import { namedRows } from './combination.ts';
import type { PendingGramian } from './gramian-of-rows.ts';

/**
 * One factor of the gradients of a dense layer's matrix, `g_k = inputᵀ δ_k`: the input of the layer. The other factor is
 * the gradient δ_k of its output.
 */
export interface DenseFactor {
  /** [batch, inputs]. */
  readonly input: Tensor;
  /** Whether the matrix is [outputs, inputs], so that the gradient is `δ_kᵀ input`. */
  readonly turned: boolean;
  /** Length of a row of the input. */
  readonly inputs: number;
  /** Length of a row of the output. */
  readonly outputs: number;
}

/** How much longer a multiply-add takes in float64, in which Gramians of products are computed, than in a float32 product. */
const costOfFloat64 = 2.5;

/**
 * Whether the inner products of K gradients `inputᵀ δ_k`, and one product for their weighted sum, take fewer
 * multiply-adds without the gradients than with them.
 *
 * Without: `B² (inputs + K² outputs) / 2` in float64, for samples b <= c, then one product. With: K products, then
 * `K (K + 1) / 2` inner products of them, in float64 too. B is the number of samples.
 */
export function isCheaper(batch: number, inputs: number, outputs: number, count: number): boolean {
  const size = inputs * outputs;
  const without = (costOfFloat64 * batch * batch * (inputs + count * count * outputs)) / 2;
  const pairs = (count * (count + 1)) / 2;
  return without < (count - 1) * batch * size + costOfFloat64 * pairs * size;
}

/** Starts to compute the inner products of gradients `inputᵀ δ_k` on the device, by the kernel `GramianOfProducts`. */
export function startGramianOfProducts(
  { input, inputs, outputs }: DenseFactor,
  deltas: readonly Tensor[],
): PendingGramian {
  const batch = input.size / inputs;
  const packed = tidy(() => {
    const rows = deltas.map((delta) => reshape(delta, [batch, outputs]));
    return runKernel('GramianOfProducts', { left: input, ...namedRows(rows) })[0]!;
  });
  return {
    packed,
    rows: deltas.length,
    parts: 2,
    length: inputs * outputs,
    // Float64 sums of so many numbers one after the other: inputs, outputs, then samples twice.
    mostCancellation: 2 ** (53 - 22) / (inputs + outputs + 2 * batch),
  };
}

/**
 * Whether inner products of products are as exact as those of rows. They are not where the gradients of samples cancel
 * nearly completely, or where a gradient is not finite.
 */
export function isExact({ rows, mostCancellation }: PendingGramian, values: Float32Array): boolean {
  if (mostCancellation === undefined) return true;
  return values.subarray(0, rows).every(Number.isFinite) && values.at(-1)! <= mostCancellation;
}

/** The gradient `inputᵀ δ` itself, a new tensor. */
export function gradientOf({ input, turned, inputs, outputs }: DenseFactor, delta: Tensor): Tensor {
  return tidy(() => {
    const rows = reshape(delta, [input.size / inputs, outputs]);
    return turned ? matMul(rows, input, true) : matMul(input, rows, true);
  });
}
