import { seededUniform, uniformKey } from '@multigrad/core/kernels';
import { MultigradError } from '@multigrad/core/strategy';
import { describeValue } from '@multigrad/core/support';
import * as tf from '@tensorflow/tfjs-core';
import { initializers, type LayerVariable, layers } from '@tensorflow/tfjs-layers';
import type { Shape } from './shape.ts';

/** Configuration of a {@link Branch}. */
export interface BranchConfig {
  readonly name: string;
  readonly seed: number;
  /** Steps at the start in which the streams are added up. */
  readonly warmup: number;
  /** Temperature τ of the first step, and the number of steps t₀ with which it falls: `τ / √(1 + t / t₀)`. */
  readonly temperature: number;
  readonly decay: number;
}

/**
 * A learned choice among streams of one shape, the layer's own first: `y = Σ_j α_j x_j`.
 *
 * In training α is one-hot at the greatest of `(l + g) / τ` with the logits l, 0 at the start, and Gumbel noise g that is a
 * function of seed, step and name; its gradient is that of the softmax of the same numbers (straight-through). During the
 * warm-up all α are 1. In inference α is one-hot at the greatest logit; of equal ones the layer's own stream counts.
 */
export class Branch extends layers.Layer {
  static readonly className: string = 'MultigradBranch';
  readonly #config: BranchConfig;
  #logits: LayerVariable | null = null;

  constructor(config: BranchConfig) {
    super({ name: config.name });
    this.#config = config;
  }

  override build(inputShape: Shape | Shape[]): void {
    const count = (inputShape as Shape[]).length;
    this.#logits = this.addWeight('logits', [count], 'float32', initializers.zeros());
    super.build(inputShape);
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape {
    return inputShape[0] as Shape;
  }

  override call(
    inputs: tf.Tensor | tf.Tensor[],
    { training, step }: { readonly training?: unknown; readonly step?: unknown },
  ): tf.Tensor {
    return tf.tidy(() => {
      const streams = inputs as tf.Tensor[];
      const alphas = this.#alphas(streams.length, training === true, step);
      const parts = tf.split(alphas, streams.length);
      return streams
        .map((x, j) => tf.mul(x, tf.reshape(parts[j]!, [])))
        .reduce((sum, part) => tf.add(sum, part));
    });
  }

  override getConfig(): tf.serialization.ConfigDict {
    const { seed, warmup, temperature, decay } = this.#config;
    return { ...super.getConfig(), seed, warmup, temperature, decay };
  }

  #alphas(count: number, training: boolean, step: unknown): tf.Tensor1D {
    const logits = this.#logits!.read() as tf.Tensor1D;
    if (!training) return oneHot(logits);
    if (!Number.isSafeInteger(step) || (step as number) < 0) {
      throw new MultigradError(
        'invalid-argument',
        `Layer \`${this.name}\` draws its branches by the number of the training step: pass \`step\`, an integer >= 0, ` +
          `beside \`training\`. Found ${describeValue(step)}.`,
      );
    }
    const { seed, warmup, temperature, decay } = this.#config;
    const at = step as number;
    // Nothing times the logits, so that they are reached from the first step on.
    if (at < warmup) return tf.add(tf.mul(logits, 0), 1);
    const key = uniformKey(seed, at, this.name);
    // Half a unit of the generator above 0, where the logarithm is finite.
    const noise = Array.from(
      { length: count },
      (_, j) => -Math.log(-Math.log(seededUniform(key, j) + 2 ** -25)),
    );
    const tau = temperature / Math.sqrt(1 + at / decay);
    const soft = tf.softmax(tf.mul(tf.add(logits, tf.tensor1d(noise)), 1 / tau));
    return straightThrough(soft) as tf.Tensor1D;
  }
}

/** 1 at the greatest number, the first of equal ones, 0 elsewhere. */
function oneHot(values: tf.Tensor): tf.Tensor1D {
  const greatest = tf.reshape<tf.Rank.R1>(tf.argMax(values), [1]);
  return tf.reshape(tf.cast(tf.oneHot(greatest, values.size), 'float32'), [values.size]);
}

/** One-hot at the greatest number, with the gradient of the numbers themselves. */
const straightThrough = tf.customGrad((...given: (tf.Tensor | tf.GradSaveFunc)[]) => ({
  value: oneHot(given[0] as tf.Tensor),
  gradFunc: (dy: tf.Tensor) => tf.clone(dy),
}));
