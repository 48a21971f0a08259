import { engine, scalar, type Tensor, tidy } from '@tensorflow/tfjs-core';

/** One recorded operation, as TensorFlow.js keeps it on its tape. */
export interface TapeNode {
  readonly kernelName: string;
  readonly inputs: Readonly<Record<string, Tensor>>;
  readonly outputs: readonly Tensor[];
  /** Absent where no gradient is registered for the kernel. */
  readonly gradient?: (dys: (Tensor | null)[]) => Record<string, () => Tensor>;
  /** Clones that the gradient reads. They are marked as kept, so no tidy frees them. */
  readonly saved: readonly Tensor[];
  /** What the kernel was told beside its inputs. */
  readonly attributes?: Readonly<Record<string, unknown>>;
  /** The kernels that a `tf.customGrad` ran in its forward function; empty for a kernel that was called by itself. */
  readonly within?: readonly KernelCall[];
}

/** One call of a kernel. */
export interface KernelCall {
  readonly kernel: string;
  readonly inputs: Readonly<Record<string, Tensor>>;
  readonly attributes: Readonly<Record<string, unknown>>;
}

interface TapeEngine {
  startTape(): void;
  endTape(): void;
  readonly state: { activeTape: TapeNode[] | null; readonly gradientDepth: number };
}

/**
 * The members of the TensorFlow.js engine that recording needs. They exist in every 4.x release, but its types hide them: this
 * cast is the only place that depends on them.
 */
export function tapeEngine(): TapeEngine {
  return engine() as unknown as TapeEngine;
}

/**
 * How many gradients are open around the caller: 0 outside of all, and in a backward pass whose result nobody
 * differentiates; 1 while a forward pass is recorded; 2 and more inside a gradient that is itself differentiated, as in a
 * gradient penalty.
 *
 * One kernel of {@link trainingKernels} that computes a whole gradient has no gradient itself. A gradient function uses
 * it where the depth is 0, and operations of TensorFlow.js elsewhere.
 *
 * @example
 * ```ts
 * import { gradientDepth } from '@multigrad/core/kernels';
 * import '@tensorflow/tfjs-backend-cpu';
 * import '@tensorflow/tfjs-layers';
 * import * as tf from '@tensorflow/tfjs-core';
 *
 * const depths: number[] = [gradientDepth()];
 * const slope = tf.grad((x) => {
 *   depths.push(gradientDepth());
 *   return tf.square(x);
 * });
 * tf.grad((x) => slope(x))(tf.scalar(3));
 * console.log(depths); // [ 0, 2 ]
 * ```
 */
export function gradientDepth(): number {
  return tapeEngine().state.gradientDepth;
}

/** The id of the latest tensor. Ids grow: a tensor with a greater id was made after this call. */
export function youngestTensorId(): number {
  return tidy(() => scalar(0).id);
}
