import * as tf from '@tensorflow/tfjs-core';
import { initializers, type LayerVariable, layers } from '@tensorflow/tfjs-layers';
import type { Shape } from './shape.ts';

/**
 * Configuration of a {@link CrossStitch}: the streams it reads, and which of them it belongs to. Streams are objects, because
 * a saved topology keeps the case of what is called `name` alone: `left_eye` would be read as `leftEye`.
 */
export interface CrossStitchConfig {
  readonly name: string;
  readonly streams: readonly { readonly name: string }[];
  readonly own: { readonly name: string };
  readonly share: number;
}

/**
 * One stream's half of a cross-stitch unit: `x̃_k = Σ_j α_kj ⊙ x_j`, a factor for each channel.
 *
 * `α_kk` starts at 1 − share, the others at share divided by their number.
 */
export class CrossStitch extends layers.Layer {
  static readonly className: string = 'MultigradCrossStitch';
  readonly #config: CrossStitchConfig;
  #alphas: LayerVariable[] = [];

  constructor(config: CrossStitchConfig) {
    super({ name: config.name });
    this.#config = config;
  }

  override build(inputShape: Shape | Shape[]): void {
    const { streams, own, share } = this.#config;
    const channels = (inputShape as Shape[])[0]!.at(-1)!;
    this.#alphas = streams.map((stream) => {
      const value = stream.name === own.name ? 1 - share : share / (streams.length - 1);
      return this.addWeight(stream.name, [channels], 'float32', initializers.constant({ value }));
    });
    super.build(inputShape);
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape {
    return inputShape[0] as Shape;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() =>
      (inputs as tf.Tensor[])
        .map((x, j) => tf.mul(x, this.#alphas[j]!.read()))
        .reduce((sum, term) => tf.add(sum, term)),
    );
  }

  override getConfig(): tf.serialization.ConfigDict {
    const { streams, own, share } = this.#config;
    return {
      ...super.getConfig(),
      streams: streams.map(({ name }) => ({ name })),
      own: { name: own.name },
      share,
    };
  }
}
