import { type Tensor, type TensorContainer, tidy } from '@tensorflow/tfjs-core';

/**
 * Runs `tf.tidy` for a result of any type: frees every tensor that `body` made, except those in its result.
 *
 * At run time TensorFlow.js finds tensors in any nested arrays and plain objects; only its type signature accepts less.
 */
export function scoped<T>(body: () => T): T {
  return tidy(body as () => TensorContainer) as T;
}

/**
 * A set of tensors to free together. It holds tensors across an `await`, where `tf.tidy` cannot, and frees them also when a
 * step fails.
 */
export class TensorBag {
  readonly #tensors = new Set<Tensor>();

  /** Takes ownership of a tensor, and returns it. */
  keep<T extends Tensor | null>(tensor: T): T {
    if (tensor !== null) this.#tensors.add(tensor);
    return tensor;
  }

  /** Takes ownership of each tensor of a list. */
  keepAll<T extends Tensor | null>(tensors: readonly T[]): readonly T[] {
    for (const tensor of tensors) this.keep(tensor);
    return tensors;
  }

  /** Gives up ownership of a tensor: the caller owns it now. */
  give<T extends Tensor | null>(tensor: T): T {
    if (tensor !== null) this.#tensors.delete(tensor);
    return tensor;
  }

  /** Frees all tensors in the bag. */
  dispose(): void {
    for (const tensor of this.#tensors) tensor.dispose();
    this.#tensors.clear();
  }
}
