import {
  add,
  broadcastTo,
  cast,
  div,
  equal,
  expandDims,
  floorDiv,
  gather,
  greaterEqual,
  logicalAnd,
  max,
  mean,
  min,
  minimum,
  mul,
  pad,
  reshape,
  sign,
  slice,
  square,
  squeeze,
  stridedSlice,
  sub,
  sum,
  Tensor,
  transpose,
} from '@tensorflow/tfjs-core';

type Operation = (x: Tensor, ...others: never[]) => Tensor;

/**
 * The operations that `@tensorflow/tfjs-layers` and `@tensorflow/tfjs-node` call as methods of a tensor, as in `x.sub(y)`.
 * Recurrent layers and their orthogonal initializer, the metric R² and attention layers call them; on native TensorFlow,
 * prelu and histograms do.
 */
const chainedOperations: Readonly<Record<string, Operation>> = {
  add,
  broadcastTo,
  div,
  equal,
  expandDims,
  flatten: (x) => reshape(x, [x.size]),
  floorDiv,
  gather,
  greaterEqual,
  logicalAnd,
  max,
  mean,
  min,
  minimum,
  mul,
  pad,
  reshape,
  sign,
  slice,
  square,
  squeeze,
  stridedSlice,
  sub,
  sum,
  toFloat: (x) => cast(x, 'float32'),
  toInt: (x) => cast(x, 'int32'),
  transpose,
};

/**
 * Adds the methods that layers call to tensors. The package `@tensorflow/tfjs` adds these and more; with
 * `@tensorflow/tfjs-core` and `@tensorflow/tfjs-layers` alone they are missing. Methods that exist are not replaced.
 */
export function installChainedOperations(): void {
  for (const [name, operation] of Object.entries(chainedOperations)) {
    if (Reflect.has(Tensor.prototype, name)) continue;
    Reflect.set(Tensor.prototype, name, function chained(this: Tensor, ...others: never[]): Tensor {
      this.throwIfDisposed();
      return operation(this, ...others);
    });
  }
}
