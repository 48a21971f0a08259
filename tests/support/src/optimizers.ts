import type { Optimizer, Tensor } from '@tensorflow/tfjs-core';

/** Frees an optimizer completely; TensorFlow.js's momentum optimizer forgets the constant it inherits. */
export function disposeOptimizer(optimizer: Optimizer): void {
  optimizer.dispose();
  (optimizer as unknown as { c?: Tensor }).c?.dispose();
}
