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

/** Under which an engine says that it was mended, by whichever copy of this package. */
const mended = Symbol.for('multigrad.mended-tape');

/**
 * Mends two defects of the tape of TensorFlow.js 4.22, for `tf.grad` and its kin as for the engine of this package, which
 * calls it. Further calls do nothing.
 *
 * - Where a gradient reads an output of its operation (`tanh`, `sigmoid`, `exp`, `softmax`, …), the tape has the copy that
 *   it reads before the operation. A backward pass that is itself differentiated (gradient penalties, Hessians) takes it
 *   for a constant then: the derivative is wrong, or there is none. Copies come after the operation now.
 * - A comparison, or another operation without a gradient whose outputs are not float32, on the way from x to y is an
 *   error, as in `tf.where(tf.greater(x, 0), …)`. Such outputs do not change with x in small steps: they are constants now.
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

/** Whether a node is the copy of a tensor that the gradient of another one reads. */
function isSaved({ outputs }: TapeNode, { saved }: TapeNode): boolean {
  return saved.includes(outputs[0]!);
}
