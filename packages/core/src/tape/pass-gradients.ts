import { add, clone, type Tensor } from '@tensorflow/tfjs-core';

/**
 * The gradients accumulated during one backward pass, by the tensor that they belong to. Each is freed when nothing uses it any
 * more.
 *
 * Gradient functions may return their input itself, or a tensor that something else owns (a saved input). So uses are
 * counted, and only tensors made during this backward pass are disposed of.
 */
export class PassGradients {
  readonly #sources: ReadonlySet<number>;
  readonly #gradients = new Map<number, Tensor>();
  readonly #holders = new Map<number, number>();
  /** Tensors with a greater id were made during this backward pass. */
  readonly #youngestForeign: number;

  constructor(sources: readonly Tensor[], youngestForeign: number) {
    this.#sources = new Set(sources.map((source) => source.id));
    this.#youngestForeign = youngestForeign;
  }

  /** Whether a gradient of `tensor` has been added. */
  has(tensor: Tensor): boolean {
    return this.#gradients.has(tensor.id);
  }

  /** The gradient of `tensor` so far, or null. It stays the property of this collection. */
  get(tensor: Tensor): Tensor | null {
    return this.#gradients.get(tensor.id) ?? null;
  }

  /** Whether `gradient` was made by this backward pass. */
  owns(gradient: Tensor): boolean {
    return gradient.id > this.#youngestForeign;
  }

  /** Adds to the gradient of `tensor`, in the order that TensorFlow.js has, so that sums are bit for bit the same. */
  add(tensor: Tensor, gradient: Tensor): void {
    const current = this.#gradients.get(tensor.id);
    if (current === undefined) {
      this.#hold(tensor, gradient);
      return;
    }
    const sum = add(current, gradient);
    this.#hold(tensor, sum);
    this.#letGo(current);
    if (!this.#holders.has(gradient.id)) this.#free(gradient);
  }

  /** Releases the gradients of an operation's outputs after the operation, except those of sources. */
  release(outputs: readonly Tensor[]): void {
    for (const output of outputs) {
      const gradient = this.#gradients.get(output.id);
      if (gradient === undefined || this.#sources.has(output.id)) continue;
      this.#gradients.delete(output.id);
      this.#letGo(gradient);
    }
  }

  /** Hands over the gradient of `tensor`: a tensor that the caller owns, or null. */
  take(tensor: Tensor): Tensor | null {
    const gradient = this.#gradients.get(tensor.id);
    if (gradient === undefined) return null;
    this.#gradients.delete(tensor.id);
    const holders = this.#holders.get(gradient.id)! - 1;
    if (holders > 0) this.#holders.set(gradient.id, holders);
    else this.#holders.delete(gradient.id);
    return holders === 0 && this.owns(gradient) ? gradient : clone(gradient);
  }

  /** A tensor with the gradient of `tensor`, which the caller owns, or null. */
  copy(tensor: Tensor): Tensor | null {
    const gradient = this.#gradients.get(tensor.id);
    return gradient === undefined ? null : clone(gradient);
  }

  /** Frees all gradients that were not taken. */
  dispose(): void {
    for (const gradient of new Set(this.#gradients.values())) this.#free(gradient);
    this.#gradients.clear();
    this.#holders.clear();
  }

  #hold(tensor: Tensor, gradient: Tensor): void {
    this.#gradients.set(tensor.id, gradient);
    this.#holders.set(gradient.id, (this.#holders.get(gradient.id) ?? 0) + 1);
  }

  #letGo(gradient: Tensor): void {
    const holders = this.#holders.get(gradient.id)! - 1;
    if (holders > 0) {
      this.#holders.set(gradient.id, holders);
      return;
    }
    this.#holders.delete(gradient.id);
    this.#free(gradient);
  }

  #free(gradient: Tensor): void {
    if (this.owns(gradient)) gradient.dispose();
  }
}
