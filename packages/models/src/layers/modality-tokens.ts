import { seededUniform } from '@multigrad/core/kernels';
import * as tf from '@tensorflow/tfjs-core';
import { initializers, type LayerVariable, layers } from '@tensorflow/tfjs-layers';
import { initializerSeed } from '../weights/initialisation.ts';
import { type DrawingArguments, type Draws, drawsOf } from './draws.ts';
import type { Shape } from './shape.ts';

// As small as the position embeddings of this package.
const deviation = 0.02;

/** Configuration of {@link ModalityTokens}. */
export interface ModalityTokensConfig {
  readonly name: string;
  /**
   * The inputs in their order; the token of each is a weight of its name. Objects, because a saved topology keeps the case of
   * what is called `name` alone.
   */
  readonly modalities: readonly { readonly name: string }[];
  /** Probability with which a modality of a sample is dropped, 0 to 1. */
  readonly rate: number;
  readonly seed: number;
}

/**
 * Puts learnt vectors in the place of modalities: it takes a vector of each, n × f_k, and returns as many of the same shapes.
 *
 * In training `y_ik = t_k` where modality k of sample i is dropped, else `z_ik`. With uniform numbers u of (seed, step, name),
 * M for each sample by its place in the whole batch, modality k is dropped where `u_ik < rate`; where that holds for all,
 * the one with the largest number stays. In inference `y_ik = z_ik`, but t_k for the modalities that `seen` leaves out.
 */
export class ModalityTokens extends layers.Layer {
  static readonly className: string = 'MultigradModalityTokens';
  readonly #modalities: readonly string[];
  readonly #rate: number;
  readonly #seed: number;
  #tokens: readonly LayerVariable[] = [];

  constructor({ name, modalities, rate, seed }: ModalityTokensConfig) {
    super({ name });
    this.#modalities = modalities.map((modality) => modality.name);
    this.#rate = rate;
    this.#seed = seed;
  }

  override build(inputShape: Shape | Shape[]): void {
    this.#tokens = this.#modalities.map((modality, k) => {
      const seed = initializerSeed(this.#seed, `${this.name}/${modality}`);
      const [, length] = (inputShape as Shape[])[k]!;
      const initializer = initializers.randomNormal({ mean: 0, stddev: deviation, seed });
      return this.addWeight(modality, [length!], 'float32', initializer);
    });
    super.build(inputShape);
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape | Shape[] {
    return inputShape;
  }

  override call(
    inputs: tf.Tensor | tf.Tensor[],
    { seen, ...given }: DrawingArguments & { readonly seen?: readonly string[] },
  ): tf.Tensor[] {
    const vectors = inputs as tf.Tensor[];
    if (given.training === true) {
      const draws = drawsOf(this.name, 'the modalities that it drops', this.#seed, given);
      const kept = keptModalities(draws, this.#rate, vectors.length, vectors[0]!.shape[0]);
      return tf.tidy(() =>
        vectors.map((z, k) => {
          const keeps = tf.tensor2d(kept[k]!, [kept[k]!.length, 1]);
          const token = tf.mul(this.#tokens[k]!.read(), tf.sub(1, keeps));
          return tf.add(tf.mul(z, keeps), token);
        }),
      );
    }
    if (seen === undefined) return vectors;
    return vectors.map((z, k) =>
      seen.includes(this.#modalities[k]!) ? z : tf.broadcastTo(this.#tokens[k]!.read(), z.shape),
    );
  }

  override getConfig(): tf.serialization.ConfigDict {
    const modalities = this.#modalities.map((modality) => ({ name: modality }));
    return { ...super.getConfig(), modalities, rate: this.#rate, seed: this.#seed };
  }
}

/** For each modality n numbers: 1 where it stays, 0 where it is dropped. At least one modality of each sample stays. */
function keptModalities(
  { key, firstSample }: Draws,
  rate: number,
  modalities: number,
  samples: number,
): Float32Array[] {
  const kept = Array.from({ length: modalities }, () => new Float32Array(samples));
  for (let i = 0; i < samples; i++) {
    const place = (firstSample + i) * modalities;
    const numbers = kept.map((_, k) => seededUniform(key, place + k));
    const stays = numbers.indexOf(Math.max(...numbers));
    kept.forEach((ofModality, k) => {
      ofModality[i] = numbers[k]! >= rate || k === stays ? 1 : 0;
    });
  }
  return kept;
}
