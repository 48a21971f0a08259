import {
  Optimizer,
  reshape,
  slice as sliceTensor,
  tensor,
  type Tensor,
  tensor1d,
  tidy,
  variable,
  type Variable,
} from '@tensorflow/tfjs-core';
import { type GradientExchange, sliceOf } from '../ranks/gradient-exchange.ts';
import type { Combination, Combinations } from '../rows/combination.ts';
import { FusedOptimizer } from '../optimizers/fused-optimizer.ts';
import { MultigradError } from '../base/errors.ts';
import type { AnyOptimizer } from '../optimizers/optimizer.ts';
import type { GatherOn } from './sharding.ts';

/**
 * This rank's slices of the variables, flat. Its optimizer changes these slices and keeps slots for them alone, so the slots
 * are divided among the ranks. After each step the ranks gather the new values.
 *
 * @see Rajbhandari, Rasley, Ruwase and He, "ZeRO: Memory Optimizations Toward Training Trillion Parameter Models", SC 2020
 * (https://arxiv.org/abs/1910.02054), section 5.1 (stage 1)
 */
export class ShardedVariables {
  readonly #exchange: GradientExchange;
  readonly #whole: ReadonlyMap<string, Variable>;
  /** The slices, under the names of the whole variables. */
  readonly slices: ReadonlyMap<string, Variable>;
  /** A fused optimizer that was made for the slices here; null where the given one is used. */
  #own: FusedOptimizer | null = null;

  constructor(whole: ReadonlyMap<string, Variable>, exchange: GradientExchange) {
    this.#exchange = exchange;
    this.#whole = whole;
    this.slices = new Map(
      Array.from(whole, ([name, own]) => {
        return [name, tidy(() => variable(this.cut(own), true))];
      }),
    );
  }

  /**
   * Returns an optimizer for the slices: the given one, or for a fused one a copy with empty slots.
   *
   * @throws MultigradError `unsupported` for an optimizer of the user's own, which knows only whole variables
   */
  optimizerOf(optimizer: AnyOptimizer): AnyOptimizer {
    if (optimizer instanceof FusedOptimizer) {
      const whole = Array.from(
        this.#whole,
        ([name, own]) => [own, this.slices.get(name)!] as const,
      );
      this.#own = optimizer.forVariables(new Map(whole));
      return this.#own;
    }
    if (optimizer instanceof Optimizer) return optimizer;
    throw new MultigradError(
      'unsupported',
      'Ranks that train together need an optimizer of TensorFlow.js or a fused one, whose slots they can share out. ' +
        `Found ${typeof optimizer === 'function' ? 'a function' : `one of kind \`${optimizer.kind}\``}.`,
    );
  }

  /** The gradients for the optimizer; null where this rank's slice is empty. */
  combinationsOf(combinations: Combinations): Map<string, Combination | null> {
    return new Map(
      Array.from(combinations, ([name, combination]) => {
        return [name, this.slices.get(name)!.size === 0 ? null : combination];
      }),
    );
  }

  /** Copies the values of the whole variables into the slices. */
  load(): void {
    for (const [name, own] of this.#whole) {
      tidy(() => this.slices.get(name)!.assign(this.cut(own)));
    }
  }

  /** Gathers the slices of all ranks into the whole variables of these names. */
  async store(changed: Iterable<string>): Promise<void> {
    const wanted = new Set(changed);
    const names = [...this.#whole.keys()].filter((name) => wanted.has(name));
    await this.#gather(
      'every rank',
      names.map((name) => ({ slice: this.slices.get(name)!, shape: this.#whole.get(name)!.shape })),
      (values, shape, index) => {
        tidy(() => this.#whole.get(names[index]!)!.assign(tensor(values, shape)));
      },
    );
  }

  /**
   * Gathers slices of all ranks into new whole tensors of these shapes; null stands for an empty slice.
   *
   * @returns none on the ranks that do not get them
   */
  async gather(
    on: GatherOn,
    parts: readonly { readonly slice: Tensor | null; readonly shape: readonly number[] }[],
  ): Promise<readonly Tensor[]> {
    const whole: Tensor[] = [];
    await this.#gather(on, parts, (values, shape) => whole.push(tensor(values, shape)));
    return whole;
  }

  async #gather(
    on: GatherOn,
    parts: readonly { readonly slice: Tensor | null; readonly shape: readonly number[] }[],
    take: (values: Float32Array, shape: number[], index: number) => void,
  ): Promise<void> {
    const own = await Promise.all(
      parts.map(async ({ slice }) => slice?.data<'float32'>() ?? new Float32Array(0)),
    );
    const sizes = parts.map(({ shape }) => shape.reduce((size, side) => size * side, 1));
    const taken = (values: Float32Array, index: number): void => {
      take(values, [...parts[index]!.shape], index);
    };
    if (on === 'rank 0') await this.#exchange.gatherToRoot(own, sizes, taken);
    else await this.#exchange.allGather(own, sizes, taken);
  }

  /** Cuts this rank's slice out of a whole tensor: a new tensor. */
  cut(whole: Tensor): Tensor {
    const { rank, size } = this.#exchange;
    const { begin, end } = sliceOf(whole.size, rank, size);
    if (begin === end) return tensor1d([], 'float32');
    return tidy(() => sliceTensor(reshape(whole, [whole.size]), begin, end - begin));
  }

  /** Frees the slices and the optimizer that was made for them. */
  dispose(): void {
    this.#own?.dispose();
    for (const slice of this.slices.values()) slice.dispose();
  }
}
