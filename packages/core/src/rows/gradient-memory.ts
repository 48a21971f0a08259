import { clone, type Tensor } from '@tensorflow/tfjs-core';

/** The part of one objective's memory vector that belongs to one variable. */
export interface MemoryTensor {
  /** Name of the variable. */
  readonly variable: string;
  readonly objective: string;
  readonly value: Tensor;
}

/**
 * The memory of a strategy with `needs.memory`: a tensor for each objective and each variable that it reaches, which the
 * strategy lets follow the gradients. The JSON state of the strategy cannot hold tensors.
 *
 * A memory never changes. Each step returns a new one; its owner disposes of the old one.
 *
 * @example
 * ```ts
 * import { GradientMemory } from '@multigrad/core';
 * import * as tf from '@tensorflow/tfjs-core';
 * import '@tensorflow/tfjs-backend-cpu';
 *
 * // From a checkpoint: the memory takes the tensors over.
 * const memory = new GradientMemory([
 *   { variable: 'dense/kernel', objective: 'depth', value: tf.tensor1d([0.5, 1]) },
 * ]);
 * console.log(memory.get('dense/kernel', 'depth')?.shape); // [ 2 ]
 * memory.dispose();
 * ```
 */
export class GradientMemory {
  readonly #tensors = new Map<string, MemoryTensor>();

  /** @param tensors - taken over; left out for a memory of zeros */
  constructor(tensors: Iterable<MemoryTensor> = []) {
    for (const tensor of tensors)
      this.#tensors.set(keyOf(tensor.variable, tensor.objective), tensor);
  }

  /** The part of an objective's memory vector that belongs to a variable; null where it is zero. */
  get(variable: string, objective: string): Tensor | null {
    return this.#tensors.get(keyOf(variable, objective))?.value ?? null;
  }

  /** All tensors, for a checkpoint. The memory still owns them. */
  tensors(): readonly MemoryTensor[] {
    return [...this.#tensors.values()];
  }

  /** Makes a memory with some tensors replaced. It owns the new ones, and shares the data of the others. */
  with(updates: readonly MemoryTensor[]): GradientMemory {
    const replaced = new Set(updates.map(({ variable, objective }) => keyOf(variable, objective)));
    const kept = this.tensors()
      .filter(({ variable, objective }) => !replaced.has(keyOf(variable, objective)))
      .map((tensor) => ({ ...tensor, value: clone(tensor.value) }));
    return new GradientMemory([...kept, ...updates]);
  }

  /** Makes a memory of some of the tensors, which shares their data. */
  only(keeps: (tensor: MemoryTensor) => boolean): GradientMemory {
    const kept = this.tensors().filter(keeps);
    return new GradientMemory(kept.map((tensor) => ({ ...tensor, value: clone(tensor.value) })));
  }

  /** Frees the tensors; further calls do nothing. */
  dispose(): void {
    for (const { value } of this.#tensors.values()) value.dispose();
    this.#tensors.clear();
  }
}

function keyOf(variable: string, objective: string): string {
  return JSON.stringify([variable, objective]);
}
