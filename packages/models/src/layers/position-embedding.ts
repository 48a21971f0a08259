import * as tf from '@tensorflow/tfjs-core';
import { initializers, type LayerVariable, layers } from '@tensorflow/tfjs-layers';
import { initializerSeed } from '../weights/initialisation.ts';
import type { Shape } from './shape.ts';

// The deviation of learned position embeddings in BERT and ViT.
const deviation = 0.02;

/** Adds a learned vector to each position of a sequence: n × t × c → n × t × c. */
export class PositionEmbedding extends layers.Layer {
  static readonly className: string = 'MultigradPositionEmbedding';
  readonly #seed: number;
  #embedding: LayerVariable | null = null;

  constructor(config: { readonly name: string; readonly seed: number }) {
    super({ name: config.name });
    this.#seed = config.seed;
  }

  override build(inputShape: Shape | Shape[]): void {
    const seed = initializerSeed(this.#seed, `${this.name}/embedding`);
    this.#embedding = this.addWeight(
      'embedding',
      (inputShape as Shape).slice(1),
      'float32',
      initializers.randomNormal({ mean: 0, stddev: deviation, seed }),
    );
    super.build(inputShape);
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape {
    return inputShape as Shape;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() =>
      tf.add(Array.isArray(inputs) ? inputs[0]! : inputs, this.#embedding!.read()),
    );
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), seed: this.#seed };
  }
}
