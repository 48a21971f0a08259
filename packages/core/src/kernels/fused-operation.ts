import { customGrad, type GradSaveFunc, type Tensor } from '@tensorflow/tfjs-core';
import { hasKernel } from './run-kernel.ts';
import { assertFirstOrder, isDifferentiatedTwice } from './second-order.ts';
import type { TrainingKernel } from './training-kernels.ts';

/** Tensors by name; those that were left out of a call are not there. */
type Tensors = Readonly<Record<string, Tensor>>;

/** An operation that is one kernel, and whose gradient is another. */
export interface FusedOperation<Saved extends Tensors> {
  /** The kernel of the value, then that of the gradient. */
  readonly kernels: readonly [TrainingKernel, TrainingKernel];
  /** The operation's name in an error message, such as `an LSTM`. */
  readonly owner: string;
  /** The tensors with respect to which there are gradients. */
  readonly inputs: readonly Tensor[];
  /** Computes the value and the tensors that the gradient reads. */
  readonly forward: () => { readonly value: Tensor; readonly saved: Saved };
  /** The gradient with respect to each of `inputs`, in order. */
  readonly backward: (dy: Tensor, saved: Saved) => Tensor[];
}

/**
 * Runs an operation by its kernels.
 *
 * @returns the value; null where the backend in use lacks one of the kernels, or where the gradient will itself be
 *   differentiated: then the caller composes the operation of others
 */
export function fusedOperation<Saved extends Tensors>({
  kernels,
  owner,
  inputs,
  forward,
  backward,
}: FusedOperation<Saved>): Tensor | null {
  if (!kernels.every(hasKernel) || isDifferentiatedTwice()) return null;
  const operation = customGrad((...given: (Tensor | GradSaveFunc)[]) => {
    const save = given.at(-1) as GradSaveFunc;
    const { value, saved } = forward();
    const names = Object.keys(saved);
    save(Object.values(saved));
    return {
      value,
      gradFunc: (dy: Tensor, tensors: Tensor[]) => {
        assertFirstOrder(owner);
        return backward(
          dy,
          Object.fromEntries(names.map((name, i) => [name, tensors[i]!])) as Saved,
        );
      },
    };
  });
  return operation(...inputs);
}
