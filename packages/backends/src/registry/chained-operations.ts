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
 * The operations that `@tensorflow/tfjs-layers` and `@tensorflow/tfjs-node` call as methods of a tensor, `x.sub(y)`:
 * recurrent layers and their orthogonal initializer, the metric R², attention layers; prelu and histograms on native
 * TensorFlow.
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
 * Gives tensors the methods that layers call. The union package `@tensorflow/tfjs` brings these and more; with
 * `@tensorflow/tfjs-core` and `@tensorflow/tfjs-layers` alone they are missing. Methods that are there stay as they are.
 */
export function installChainedOperations(): void {
  const methods = Tensor.prototype as unknown as Record<string, unknown>;
  for (const [name, operation] of Object.entries(chainedOperations)) {
    if (name in methods) continue;
    methods[name] = function chained(this: Tensor, ...others: never[]): Tensor {
      this.throwIfDisposed();
      return operation(this, ...others);
    };
  }
}
