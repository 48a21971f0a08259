import * as tf from '@tensorflow/tfjs-core';
import { layers } from '@tensorflow/tfjs-layers';
import type { Shape } from './shape.ts';

/** Configuration of the layers of a DSelect-k gate. */
export interface ExpertSelectionConfig {
  readonly name: string;
  readonly experts: number;
  /** Width of the smooth step. */
  readonly gamma: number;
}

/** Binary digits of an expert's number. */
export function selectorDigits(experts: number): number {
  return Math.ceil(Math.log2(experts));
}

/**
 * What each selector gives each expert, n × k × E: `r_e = Π_b (S(z_b) or 1 − S(z_b))` by the binary digits b of e, with the
 * smooth step `S(t) = −2 t³ / γ³ + 3 t / (2 γ) + 1/2`, 0 below −γ/2 and 1 above γ/2.
 *
 * @param z - n × (k · digits)
 */
function selected(z: tf.Tensor, experts: number, gamma: number): tf.Tensor3D {
  const digits = selectorDigits(experts);
  const [count, width] = z.shape as [number, number];
  const t = tf.clipByValue(z, -gamma / 2, gamma / 2);
  const cubic = tf.mul(tf.mul(tf.square(t), t), -2 / gamma ** 3);
  const step = tf.add(tf.add(cubic, tf.mul(t, 3 / (2 * gamma))), 0.5);
  const bits = tf.split(tf.reshape(step, [count, width / digits, digits]), digits, 2);
  return bits
    .map((one, digit) => {
      // The first digit is the highest.
      const isSet = Array.from({ length: experts }, (_, e) => (e >> (digits - 1 - digit)) & 1);
      const signs = tf.tensor1d(isSet.map((bit) => 2 * bit - 1));
      const offsets = tf.tensor1d(isSet.map((bit) => 1 - bit));
      return tf.add<tf.Tensor3D>(tf.mul(one, signs), offsets);
    })
    .reduce((product, factor) => tf.mul(product, factor));
}

/** A DSelect-k gate: `Σ_i a_i r_i` from the selectors' weights a, n × k, and their logits z; n × E. */
export class ExpertSelection extends layers.Layer {
  static readonly className: string = 'MultigradExpertSelection';
  readonly #experts: number;
  readonly #gamma: number;

  constructor({ name, experts, gamma }: ExpertSelectionConfig) {
    super({ name });
    this.#experts = experts;
    this.#gamma = gamma;
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape {
    return [(inputShape as Shape[])[0]![0]!, this.#experts];
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const [weights, z] = inputs as [tf.Tensor2D, tf.Tensor2D];
      const selectors = selected(z, this.#experts, this.#gamma);
      const row = tf.reshape(weights, [weights.shape[0], 1, weights.shape[1]]);
      return tf.reshape(tf.matMul(row, selectors), [weights.shape[0], this.#experts]);
    });
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), experts: this.#experts, gamma: this.#gamma };
  }
}

/** Configuration of a {@link SelectionPenalty}. */
export interface SelectionPenaltyConfig extends ExpertSelectionConfig {
  /** Factor of the entropies. */
  readonly weight: number;
}

/**
 * What a DSelect-k gate adds to the loss of a sample, n × 1: `λ Σ_i H(r_i)`, the selectors' entropies, and where the number of
 * experts is no power of two `Σ_i 1 / Σ_e r_ie`, which keeps selectors from codes that no expert has.
 */
export class SelectionPenalty extends layers.Layer {
  static readonly className: string = 'MultigradSelectionPenalty';
  readonly #config: SelectionPenaltyConfig;

  constructor(config: SelectionPenaltyConfig) {
    super({ name: config.name });
    this.#config = config;
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape {
    return [(inputShape as Shape)[0]!, 1];
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const z = Array.isArray(inputs) ? inputs[0]! : inputs;
      const { experts, gamma, weight } = this.#config;
      const r = selected(z, experts, gamma);
      const entropies = tf.mul(tf.sum(tf.mul(r, tf.log(tf.add(r, 1e-6))), [1, 2]), -weight);
      const whole = experts === 2 ** selectorDigits(experts);
      const total = whole ? entropies : tf.add(entropies, tf.sum(tf.div(1, tf.sum(r, 2)), 1));
      return tf.reshape(total, [z.shape[0], 1]);
    });
  }

  override getConfig(): tf.serialization.ConfigDict {
    const { experts, gamma, weight } = this.#config;
    return { ...super.getConfig(), experts, gamma, weight };
  }
}
