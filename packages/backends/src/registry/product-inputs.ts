import { MultigradError } from '@multigrad/core/strategy';
import type { NamedTensorInfoMap, TensorInfo } from '@tensorflow/tfjs-core';
import { inputOf, rowsOf } from './check-inputs.ts';

/** The inputs of `GramianOfProducts`, for gradients `g_k = leftᵀ row_k`. */
export interface ProductInputs {
  /** The input of a dense layer, [batch, inputs]. */
  readonly left: TensorInfo;
  /** The gradients of its output, each [batch, outputs]. */
  readonly rows: readonly TensorInfo[];
  readonly batch: number;
}

/** Checks the inputs of `GramianOfProducts`. @throws MultigradError `invalid-argument` */
export function productsOf(inputs: NamedTensorInfoMap): ProductInputs {
  const name = 'GramianOfProducts';
  const left = inputOf(name, inputs, 'left');
  const others = Object.entries(inputs).filter(([key]) => key !== 'left');
  const rows = rowsOf(name, Object.fromEntries(others));
  const [batch, ...rest] = left.shape;
  const [first] = rows;
  if (rest.length === 1 && batch! > 0 && first!.shape.length === 2 && first!.shape[0] === batch) {
    return { left, rows, batch: batch! };
  }
  throw new MultigradError(
    'invalid-argument',
    `Kernel ${name} should get \`left\` as [batch, inputs] and rows as [batch, outputs], batch >= 1. ` +
      `Found [${left.shape.join(', ')}] and [${first!.shape.join(', ')}].`,
  );
}

/** How many numbers `GramianOfProducts` returns for K gradients: K lengths, K (K + 1) halves of products, one ratio. */
export function productNumbers(count: number): number {
  return count + count * (count + 1) + 1;
}
