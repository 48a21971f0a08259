import * as tf from '@tensorflow/tfjs-core';
import { initializers, type LayerVariable, layers } from '@tensorflow/tfjs-layers';
import { initializerSeed } from '../weights/initialisation.ts';
import { paddingMask } from './padding-mask.ts';
import type { Shape } from './shape.ts';

/** Configuration of a {@link TokenEmbedding}. */
export interface TokenEmbeddingConfig {
  readonly name: string;
  readonly vocabulary: number;
  readonly width: number;
  /** Standard deviation of the initial numbers. */
  readonly deviation: number;
  readonly seed: number;
}

/**
 * A learned vector for each token: n × t token numbers → n × t × width. Token 0 is padding: its vector is zero, and its row
 * of the table gets no gradient.
 */
export class TokenEmbedding extends layers.Layer {
  static readonly className: string = 'MultigradTokenEmbedding';
  readonly #config: TokenEmbeddingConfig;
  #embedding: LayerVariable | null = null;

  constructor(config: TokenEmbeddingConfig) {
    super({ name: config.name });
    this.#config = config;
  }

  override build(inputShape: Shape | Shape[]): void {
    const { vocabulary, width, deviation, seed } = this.#config;
    this.#embedding = this.addWeight(
      'embedding',
      [vocabulary, width],
      'float32',
      initializers.randomNormal({
        mean: 0,
        stddev: deviation,
        seed: initializerSeed(seed, `${this.name}/embedding`),
      }),
    );
    super.build(inputShape);
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape {
    return [...(inputShape as Shape), this.#config.width];
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const tokens = Array.isArray(inputs) ? inputs[0]! : inputs;
      const [count, length] = tokens.shape as [number, number];
      const table = this.#embedding!.read() as tf.Tensor2D;
      const rows = tf.gather(table, tf.reshape(tf.cast(tokens, 'int32'), [count * length]));
      const vectors = tf.reshape(rows, [count, length, this.#config.width]);
      return tf.mul(vectors, tf.expandDims(paddingMask(tokens), -1));
    });
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), ...this.#config };
  }
}
