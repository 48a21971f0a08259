import { engine, Identity, type Tensor } from '@tensorflow/tfjs-core';
import type { KernelCall, TapeNode } from './tape-internals.ts';

interface RecordingEngine {
  addTapeNode(...operation: Operation): void;
  runKernelFunc(call: EngineCall): unknown;
  readonly state: {
    readonly activeTape: TapeNode[] | null;
    readonly gradientDepth: number;
    readonly kernelDepth: number;
  };
  [mended]?: true;
}

/** A kernel by name, or the functions of a `tf.customGrad`. */
interface EngineCall {
  readonly kernelName?: string;
  readonly inputs: Readonly<Record<string, Tensor>>;
  readonly attrs?: Readonly<Record<string, unknown>>;
}

type Operation = [
  kernelName: string,
  inputs: object,
  outputs: readonly Tensor[],
  gradient: unknown,
  saved: readonly Tensor[],
  attributes: Readonly<Record<string, unknown>> | undefined,
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
 * It also notes what each operation was told beside its inputs, which the tape leaves out.
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
  const within = callsWithin(owner);
  owner.addTapeNode = (...operation) => {
    add(...operation);
    const activeTape = owner.state.activeTape!;
    const recorded = activeTape.pop()!;
    const node = { ...recorded, attributes: operation[5] ?? {}, within: within() };
    if (node.gradient === undefined && node.outputs.every(({ dtype }) => dtype !== 'float32'))
      return;
    let at = activeTape.length;
    while (at > 0 && isSaved(activeTape[at - 1]!, node)) at -= 1;
    activeTape.splice(at, 0, node);
  };
}

/**
 * Notes the kernels that run directly within the recorded operation under way, which the tape does not show: attributes of
 * `tf.fused` are known to them alone.
 *
 * @returns takes the calls noted so far, for the operation that has just ended
 */
function callsWithin(owner: RecordingEngine): () => readonly KernelCall[] {
  let calls: KernelCall[] = [];
  const run = owner.runKernelFunc.bind(owner);
  owner.runKernelFunc = (call) => {
    const { activeTape, gradientDepth, kernelDepth } = owner.state;
    const recorded = activeTape !== null && gradientDepth > 0 && kernelDepth === 1;
    // Copies of saved tensors are no part of what the operation computes.
    if (recorded && call.kernelName !== undefined && call.kernelName !== Identity) {
      calls.push({ kernel: call.kernelName, inputs: call.inputs, attributes: call.attrs ?? {} });
    }
    if (kernelDepth === 0) calls = [];
    return run(call);
  };
  return () => {
    // A copy of a saved tensor is recorded before the operation that saved it.
    if (owner.state.kernelDepth > 0) return [];
    const taken = calls;
    calls = [];
    return taken;
  };
}

/** Whether a node is a copy of a tensor, made for a gradient to read. */
function isSaved({ outputs }: TapeNode, { saved }: TapeNode): boolean {
  return saved.includes(outputs[0]!);
}
