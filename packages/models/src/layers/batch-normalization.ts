import { type BatchShare, currentShare } from '@multigrad/core';
import { type OptionsOf, resolveOptions } from '@multigrad/core/strategy';
import * as tf from '@tensorflow/tfjs-core';
import { layers } from '@tensorflow/tfjs-layers';
import { NormVariables } from './norm-variables.ts';
import type { Shape } from './shape.ts';
import { normalizeBatch } from './standardize.ts';
import { normalizeTogether } from './standardize-together.ts';

/** Descriptions of the options of {@link batchNormalization} that have a default. */
const batchNormalizationOptions = {
  /**
   * Share of the moving statistics kept at each training step, 0 to 1; PyTorch's `momentum` is one minus this.
   *
   * @defaultValue 0.9
   */
  momentum: {
    kind: 'number',
    default: 0.9,
    minimum: 0,
    maximum: 1,
    description: 'Share of the moving statistics kept at each training step, 0 to 1.',
  },
  /** Added to the variance, > 0. @defaultValue 1e-5 */
  epsilon: {
    kind: 'number',
    default: 1e-5,
    exclusiveMinimum: 0,
    description: 'Added to the variance, > 0.',
  },
} as const;

/** The options that a batch normalisation has where none are given. */
export const normDefaults: { readonly momentum: number; readonly epsilon: number } = {
  momentum: batchNormalizationOptions.momentum.default,
  epsilon: batchNormalizationOptions.epsilon.default,
};

/** Options of {@link batchNormalization}. */
export interface BatchNormalizationOptions extends OptionsOf<typeof batchNormalizationOptions> {
  /** The layer's name, unique in a model. */
  readonly name?: string;
}

/** The layer behind {@link batchNormalization}. */
export class BatchNormalization extends layers.Layer {
  static readonly className: string = 'MultigradBatchNormalization';
  readonly #momentum: number;
  readonly #epsilon: number;
  #variables: NormVariables | null = null;

  constructor(options: BatchNormalizationOptions = {}) {
    super(options);
    this.#momentum = options.momentum ?? normDefaults.momentum;
    this.#epsilon = options.epsilon ?? normDefaults.epsilon;
  }

  override build(inputShape: Shape | Shape[]): void {
    const channels = (inputShape as Shape).at(-1)!;
    this.#variables = new NormVariables((name, initializer, trainable) =>
      this.addWeight(name, [channels], 'float32', initializer, undefined, trainable),
    );
    super.build(inputShape);
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape | Shape[] {
    return inputShape;
  }

  override call(
    inputs: tf.Tensor | tf.Tensor[],
    kwargs: { readonly training?: unknown; readonly share?: BatchShare },
  ): tf.Tensor {
    return tf.tidy(() => {
      const x = Array.isArray(inputs) ? inputs[0]! : inputs;
      const variables = this.#variables!;
      if (kwargs.training !== true) return variables.infer(x, this.#epsilon);
      const { gamma, beta } = variables;
      const receive = variables.follow(this.#momentum);
      const sumNow = (kwargs.share ?? currentShare())?.sumNow ?? null;
      if (sumNow === null) return normalizeBatch(x, gamma, beta, this.#epsilon, receive);
      return normalizeTogether([{ x, gamma, beta, receive }], this.#epsilon, sumNow)[0]!;
    });
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), momentum: this.#momentum, epsilon: this.#epsilon };
  }
}

/**
 * A batch-normalisation layer over the last axis: the function of `tf.layers.batchNormalization`, with a gradient of
 * its own that takes a fraction of the time, and PyTorch's defaults.
 *
 * Training: `y = γ · (x − μ)/√(σ² + ε) + β` with mean μ and (biased) variance σ² over all axes but the last; moving
 * statistics follow as `m ← momentum · m + (1 − momentum) · μ`, once per call. Inference: the moving statistics take
 * the place of μ and σ². Called with a `share` of a batch whose ranks are synchronised, mean and variance are
 * those of all ranks' samples, in the gradient too.
 *
 * Making one lets `loadLayersModel` read it; a program that only loads calls {@link registerLayers}.
 *
 * @throws MultigradError `invalid-option` for an option out of its range
 *
 * @example
 * ```ts
 * import { batchNormalization } from '@multigrad/models';
 * import '@tensorflow/tfjs-backend-cpu';
 * import * as tf from '@tensorflow/tfjs-core';
 *
 * const layer = batchNormalization();
 * const y = layer.apply(tf.tensor2d([[1, 10], [3, 30]]), { training: true }) as tf.Tensor;
 * console.log(y.arraySync()); // [ [ -1.000, -1.000 ], [ 1.000, 1.000 ] ]
 * ```
 *
 * @see Ioffe and Szegedy, "Batch Normalization", ICML 2015 (https://arxiv.org/abs/1502.03167), algorithm 1
 */
export function batchNormalization(options: BatchNormalizationOptions = {}): layers.Layer {
  const { name, ...given } = options;
  const resolved = resolveOptions('batchNormalization', batchNormalizationOptions, given);
  tf.serialization.registerClass(BatchNormalization);
  return new BatchNormalization(name === undefined ? resolved : { ...resolved, name });
}
