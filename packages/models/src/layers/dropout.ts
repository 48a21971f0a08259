import { hasKernel, runKernel, seededUniform, type UniformKey } from '@multigrad/core/kernels';
import { MultigradError, type OptionsOf, resolveOptions } from '@multigrad/core/strategy';
import * as tf from '@tensorflow/tfjs-core';
import { layers } from '@tensorflow/tfjs-layers';
import { assertLayerName } from '../layer-names.ts';
import { type DrawingArguments, drawsOf } from './draws.ts';
import type { Shape } from './shape.ts';

/** Descriptions of the options of {@link dropout} that have a default. */
const dropoutOptions = {
  /** Share of the values that are dropped, 0 to 1, 1 excluded. @defaultValue 0.5 */
  rate: {
    kind: 'number',
    default: 0.5,
    minimum: 0,
    maximum: 1,
    description: 'Share of the values that are dropped, 0 to 1, 1 excluded.',
  },
  /** Seed of the masks, an integer >= 0. @defaultValue 0 */
  seed: {
    kind: 'number',
    default: 0,
    minimum: 0,
    integer: true,
    description: 'Seed of the masks, an integer >= 0.',
  },
} as const;

/** Options of {@link dropout}. */
export interface DropoutOptions extends OptionsOf<typeof dropoutOptions> {
  /** The layer's name, unique in a network; seed, step and name decide which values are dropped. */
  readonly name: string;
}

/** The layer that {@link dropout} makes. */
export class Dropout extends layers.Layer {
  static readonly className: string = 'MultigradDropout';
  readonly #rate: number;
  readonly #seed: number;

  constructor({ rate = 0.5, seed = 0, ...rest }: DropoutOptions) {
    super(rest);
    this.#rate = rate;
    this.#seed = seed;
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape {
    return inputShape as Shape;
  }

  override call(inputs: tf.Tensor | tf.Tensor[], given: DrawingArguments): tf.Tensor {
    const x = Array.isArray(inputs) ? inputs[0]! : inputs;
    if (given.training !== true || this.#rate === 0) return x;
    const { key, firstSample } = drawsOf(this.name, 'its mask', this.#seed, given);
    return dropped(x, this.#rate, key, firstSample * (x.size / x.shape[0]));
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), rate: this.#rate, seed: this.#seed };
  }
}

/** A linear map that is its own transpose: the gradient is dropped by the same mask. */
function dropped(x: tf.Tensor, rate: number, key: UniformKey, first: number): tf.Tensor {
  const mask = (value: tf.Tensor): tf.Tensor => {
    if (first === 0 && hasKernel('SeededDropout')) {
      return runKernel('SeededDropout', { x: value }, { rate, key })[0]!;
    }
    const factors = Float32Array.from({ length: value.size }, (_, i) =>
      seededUniform(key, first + i) >= rate ? 1 / (1 - rate) : 0,
    );
    return tf.mul(value, tf.tensor(factors, value.shape));
  };
  const operation = tf.customGrad((...given: (tf.Tensor | tf.GradSaveFunc)[]) => ({
    value: tf.tidy(() => mask(given[0] as tf.Tensor)),
    gradFunc: (dy: tf.Tensor) => dropped(dy, rate, key, first),
  }));
  return operation(x);
}

/**
 * A dropout layer whose masks are a function of seed, step and name: `y = x ⊙ m / (1 − rate)` in training, with
 * `m_i = 1` where the i-th uniform number of (seed, step, name) is at least `rate` and 0 elsewhere; `y = x` in inference.
 * Among ranks that train together, i counts on from the samples of the ranks before, whether or not `share` is passed on.
 *
 * Nothing is drawn from a generator that moves on, so a run that is resumed at any step, and every rank of a parallel
 * one, sees the masks of an uninterrupted run; all objectives of a step share one mask, and so do the forward passes
 * that belong to one step (micro-batches, independent batches, losses measured once more after it).
 *
 * @remarks
 * Training needs the number of the step: networks of this package pass on what the trainer says; a model applied by
 * hand takes `model.apply(x, { training: true, step })`.
 *
 * @throws MultigradError `invalid-option` for an option out of its range; when applied in training, `invalid-argument`
 *   for a step that is no integer >= 0
 *
 * @example
 * ```ts
 * import { dropout } from '@multigrad/models';
 * import '@tensorflow/tfjs-backend-cpu';
 * import * as tf from '@tensorflow/tfjs-core';
 *
 * const layer = dropout({ name: 'head/dropout', rate: 0.5, seed: 1 });
 * const y = layer.apply(tf.ones([2, 4]), { training: true, step: 7 }) as tf.Tensor;
 * console.log(y.arraySync()); // 0, 2, 0, 0, 2, 0, 2, 0: the same in every run
 * ```
 *
 * @see Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov, "Dropout: A Simple Way to Prevent Neural Networks
 * from Overfitting", JMLR 2014 (https://jmlr.org/papers/v15/srivastava14a.html)
 */
export function dropout({ name, ...given }: DropoutOptions): layers.Layer {
  assertLayerName('Option `name` of `dropout`', name);
  const options = resolveOptions('dropout', dropoutOptions, given);
  if (options.rate === 1) {
    throw new MultigradError(
      'invalid-option',
      'Option `rate` of `dropout` should be below 1, or nothing is left. Found 1.',
    );
  }
  return new Dropout({ name, ...options });
}
