import { type Tensor, type TensorContainer, tidy } from '@tensorflow/tfjs-core';

/**
 * `tf.tidy` for any result type: frees every tensor that `body` made but for those in what it returns.
 *
 * TensorFlow.js finds tensors in nested arrays and plain objects whatever their type says; its own signature insists
 * on index signatures that a readable interface has not.
 */
export function scoped<T>(body: () => T): T {
  return tidy(body as () => TensorContainer) as T;
}

/**
 * Tensors that live across an `await`, where no tidy can hold them: whatever is still in the bag is freed with it,
 * also when a step fails half-way.
 */
export class TensorBag {
  readonly #tensors = new Set<Tensor>();

  /** Takes ownership, and returns what it was given. */
  keep<T extends Tensor | null>(tensor: T): T {
    if (tensor !== null) this.#tensors.add(tensor);
    return tensor;
  }

  /** Takes ownership of each tensor of a list. */
  keepAll<T extends Tensor | null>(tensors: readonly T[]): readonly T[] {
    for (const tensor of tensors) this.keep(tensor);
    return tensors;
  }

  /** Gives a tensor away: whoever asked owns it now. */
  give<T extends Tensor | null>(tensor: T): T {
    if (tensor !== null) this.#tensors.delete(tensor);
    return tensor;
  }

  /** Frees what is left. */
  dispose(): void {
    for (const tensor of this.#tensors) tensor.dispose();
    this.#tensors.clear();
  }
}
