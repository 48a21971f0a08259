import * as tf from '@tensorflow/tfjs-core';
import { layers } from '@tensorflow/tfjs-layers';
import { paddingMask } from './padding-mask.ts';
import type { Shape } from './shape.ts';

/** Configuration of a {@link TokenPool}. */
export interface TokenPoolConfig {
  readonly name: string;
  /** `average`: the mean over tokens; `none`: the sequence, zero where padding stands. */
  readonly pool: 'average' | 'none';
}

/**
 * What a sequence's vectors come to without those of padding: from vectors x (n × t × c) and token numbers (n × t), with
 * m = 1 where a token stands and 0 where padding does, the mean `Σ_t m_t x_t / max(Σ_t m_t, 1)`, n × c, or the sequence
 * `m_t x_t`. A sequence of padding alone gives zeros.
 */
export class TokenPool extends layers.Layer {
  static readonly className: string = 'MultigradTokenPool';
  readonly #config: TokenPoolConfig;

  constructor(config: TokenPoolConfig) {
    super({ name: config.name });
    this.#config = config;
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape {
    const [count, length, channels] = (inputShape as Shape[])[0] as [number, number, number];
    return this.#config.pool === 'none' ? [count, length, channels] : [count, channels];
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const [x, tokens] = inputs as [tf.Tensor, tf.Tensor];
      const mask = paddingMask(tokens);
      const kept = tf.mul(x, tf.expandDims(mask, -1));
      if (this.#config.pool === 'none') return kept;
      return tf.div(tf.sum(kept, 1), tf.maximum(tf.sum(mask, 1, true), 1));
    });
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), ...this.#config };
  }
}
