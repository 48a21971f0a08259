import { hasKernel, runKernel } from '@multigrad/core/kernels';
import * as tf from '@tensorflow/tfjs-core';
import { initializers, type LayerVariable } from '@tensorflow/tfjs-layers';
import type { ReceiveMoments } from './standardize.ts';

/** Makes a variable of a layer: its name, its first values, and whether it is trained. */
export type AddVariable = (
  name: string,
  initializer: ReturnType<typeof initializers.ones>,
  trainable: boolean,
) => LayerVariable;

/** The variables of a batch normalisation: scale γ and shift β of each channel, and the statistics that follow the batches'. */
export class NormVariables {
  readonly #gamma: LayerVariable;
  readonly #beta: LayerVariable;
  readonly #mean: LayerVariable;
  readonly #variance: LayerVariable;

  /** @param prefix - stands before the names `gamma`, `beta`, `moving_mean` and `moving_variance` */
  constructor(add: AddVariable, prefix = '') {
    const [zeros, ones] = [initializers.zeros(), initializers.ones()];
    this.#gamma = add(`${prefix}gamma`, ones, true);
    this.#beta = add(`${prefix}beta`, zeros, true);
    this.#mean = add(`${prefix}moving_mean`, zeros, false);
    this.#variance = add(`${prefix}moving_variance`, ones, false);
  }

  get gamma(): tf.Tensor {
    return this.#gamma.read();
  }

  get beta(): tf.Tensor {
    return this.#beta.read();
  }

  /** `γ · (x − μ)/√(σ² + ε) + β` with the statistics that followed the batches. */
  infer(x: tf.Tensor, epsilon: number): tf.Tensor {
    return tf.batchNorm(
      x,
      this.#mean.read(),
      this.#variance.read(),
      this.beta,
      this.gamma,
      epsilon,
    );
  }

  /** Lets the statistics follow those of a batch: `m ← momentum · m + (1 − momentum) · now`. */
  follow(momentum: number): ReceiveMoments {
    return (mean, variance) => {
      follow(this.#mean, mean, momentum);
      follow(this.#variance, variance, momentum);
    };
  }
}

function follow(moving: LayerVariable, now: tf.Tensor, momentum: number): void {
  const [kept, added] = [momentum, 1 - momentum];
  const before = moving.read();
  if (hasKernel('CombineRows')) {
    const rows = { row0: before, row1: now };
    moving.write(runKernel('CombineRows', rows, { weights: [kept, added] })[0]!);
  } else {
    moving.write(tf.add(tf.mul(before, kept), tf.mul(now, added)));
  }
}
