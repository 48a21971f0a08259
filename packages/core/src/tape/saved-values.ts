import type { Tensor } from '@tensorflow/tfjs-core';
import type { Tape } from './tape.ts';

/** Finds the value of a tensor of the forward pass; null where nothing kept it. */
export type ValueOf = (tensor: Tensor) => Tensor | null;

/** Finds values of the forward pass: tensors that are still alive, and copies that operations saved for their gradients. */
export function savedValues(tape: Tape<unknown>): ValueOf {
  const saved = savedIds(tape);
  const copies = new Map<number, Tensor>();
  for (const { inputs, outputs } of tape.operations) {
    const [copy] = outputs;
    const [original] = Object.values(inputs);
    if (copy !== undefined && original !== undefined && saved.has(copy.id))
      copies.set(original.id, copy);
  }
  return (tensor) => (tensor.isDisposed ? (copies.get(tensor.id) ?? null) : tensor);
}

/** The ids of the copies that operations saved for their gradients. */
export function savedIds(tape: Tape<unknown>): ReadonlySet<number> {
  return new Set(tape.operations.flatMap(({ saved }) => saved.map(({ id }) => id)));
}
