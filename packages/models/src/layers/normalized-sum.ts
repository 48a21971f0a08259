import { type BatchShare, currentShare } from '@multigrad/core';
import * as tf from '@tensorflow/tfjs-core';
import { layers } from '@tensorflow/tfjs-layers';
import { NormVariables } from './norm-variables.ts';
import type { Shape } from './shape.ts';
import { normalizeBatch } from './standardize.ts';
import { normalizeTogether } from './standardize-together.ts';

/** Configuration of a {@link NormalizedSum}. */
export interface NormalizedSumConfig {
  readonly name: string;
  /** A name for each input: its variables are called `<name>/<part>/gamma` and so on. */
  readonly parts: readonly string[];
  /** As of a batch normalisation. */
  readonly momentum: number;
  readonly epsilon: number;
}

/**
 * The sum of several inputs of one shape, each through a batch normalisation of its own: `y = Σ_j BN_j(x_j)`.
 *
 * As layers of their own the batch normalisations would each make an exchange over the ranks in the forward pass; here all of them
 * share one.
 */
export class NormalizedSum extends layers.Layer {
  static readonly className: string = 'MultigradNormalizedSum';
  readonly #config: NormalizedSumConfig;
  #norms: readonly NormVariables[] = [];

  constructor(config: NormalizedSumConfig) {
    super({ name: config.name });
    this.#config = config;
  }

  override build(inputShape: Shape | Shape[]): void {
    const channels = (inputShape as Shape[])[0]!.at(-1)!;
    this.#norms = this.#config.parts.map(
      (part) =>
        new NormVariables(
          (name, initializer, trainable) =>
            this.addWeight(name, [channels], 'float32', initializer, undefined, trainable),
          `${part}/`,
        ),
    );
    super.build(inputShape);
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape {
    return inputShape[0] as Shape;
  }

  override call(
    inputs: tf.Tensor | tf.Tensor[],
    kwargs: { readonly training?: unknown; readonly share?: BatchShare },
  ): tf.Tensor {
    const { momentum, epsilon } = this.#config;
    return tf.tidy(() => {
      const all = inputs as tf.Tensor[];
      const norms = this.#norms;
      const sum = (parts: readonly tf.Tensor[]): tf.Tensor =>
        parts.reduce((total, part) => tf.add(total, part));
      if (kwargs.training !== true) return sum(all.map((x, j) => norms[j]!.infer(x, epsilon)));
      const given = all.map((x, j) => {
        const { gamma, beta } = norms[j]!;
        return { x, gamma, beta, receive: norms[j]!.follow(momentum) };
      });
      const sumNow = (kwargs.share ?? currentShare())?.sumNow ?? null;
      return sum(
        sumNow === null
          ? given.map(({ x, gamma, beta, receive }) =>
              normalizeBatch(x, gamma, beta, epsilon, receive),
            )
          : normalizeTogether(given, epsilon, sumNow),
      );
    });
  }

  override getConfig(): tf.serialization.ConfigDict {
    const { parts, momentum, epsilon } = this.#config;
    return { ...super.getConfig(), parts: [...parts], momentum, epsilon };
  }
}
