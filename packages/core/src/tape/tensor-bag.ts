import type { Tensor } from '@tensorflow/tfjs-core';

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
