import { engine, type Tensor } from '@tensorflow/tfjs-core';
import type { TapeNode } from './tape-internals.ts';

interface RecordingEngine {
  addTapeNode(...operation: Operation): void;
  readonly state: { readonly activeTape: TapeNode[] };
  [mended]?: true;
}

type Operation = [
  kernelName: string,
  inputs: object,
  outputs: readonly Tensor[],
  gradient: unknown,
  saved: readonly Tensor[],
  attributes: unknown,
];

/** The key under which an engine is marked as mended, also by another copy of this package. */
const mended = Symbol.for('multigrad.mended-tape');

/**
 * Mends two defects of the tape of TensorFlow.js 4.22, for `tf.grad` and its kin as for the engine of this package, which
 * calls it. Further calls do nothing.
 *
 * - The gradients of some operations (`tanh`, `sigmoid`, `exp`, `softmax`, …) read a copy of the operation's output.
 *   TensorFlow.js records that copy before the operation, so a second derivative (gradient penalties, Hessians) treats it as a
 *   constant and is wrong or missing. This records the copy after the operation.
 * - TensorFlow.js throws where an operation without a gradient, such as a comparison, lies between x and y, as in
 *   `tf.where(tf.greater(x, 0), …)`. Its output, which is not float32, is locally constant in x: this treats it as a constant.
 *
 * @example
 * ```ts
 * import { mendTape } from '@multigrad/core';
 * import '@tensorflow/tfjs-backend-cpu';
 * import '@tensorflow/tfjs-layers';
 * import * as tf from '@tensorflow/tfjs-core';
 *
 * mendTape();
 * const slope = tf.grad((x) => tf.sum(tf.tanh(x)));
 * const curvature = tf.grad((x) => tf.sum(slope(x)));
 * console.log(curvature(tf.scalar(1)).arraySync()); // −2 tanh(1) (1 − tanh²(1)) = −0.6397
 * ```
 */
export function mendTape(): void {
  const owner = engine() as unknown as RecordingEngine;
  if (owner[mended] === true) return;
  owner[mended] = true;
  const add = owner.addTapeNode.bind(owner);
  owner.addTapeNode = (...operation) => {
    add(...operation);
    const { activeTape } = owner.state;
    const node = activeTape.pop()!;
    if (node.gradient === undefined && node.outputs.every(({ dtype }) => dtype !== 'float32'))
      return;
    let at = activeTape.length;
    while (at > 0 && isSaved(activeTape[at - 1]!, node)) at -= 1;
    activeTape.splice(at, 0, node);
  };
}

/** Whether a node is a copy of a tensor, made for a gradient to read. */
function isSaved({ outputs }: TapeNode, { saved }: TapeNode): boolean {
  return saved.includes(outputs[0]!);
}
