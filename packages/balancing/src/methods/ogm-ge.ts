import {
  type OptionsOf,
  randomState,
  resolveOptions,
  resumeRandom,
} from '@multigrad/core/strategy';
import * as tf from '@tensorflow/tfjs-core';
import type { BalancingMethod, PartModulation } from '../contract/method.ts';
import { type BalancingPlugin, defineBalancing } from '../contract/plugin.ts';
import { entry, record } from '../support/by-name.ts';
import { classLabels, trueClassProbability } from '../support/class-labels.ts';
import { cutLogits, whyNotCut } from '../support/joint-head.ts';
import { meanOfOthers } from '../support/others.ts';

const ogmGeOptions = {
  /** How strongly a leading modality is slowed, >= 0. @defaultValue 0.5 */
  alpha: {
    kind: 'number',
    default: 0.5,
    minimum: 0,
    description: 'How strongly a leading modality is slowed, >= 0.',
  },
  /** Whether noise of the gradient's own deviation is added, tensor by tensor ("GE"). @defaultValue true */
  noise: {
    kind: 'boolean',
    default: true,
    description: "Whether noise of the gradient's own deviation is added, tensor by tensor.",
  },
  /** Seed of the noise, an integer >= 0. @defaultValue 0 */
  seed: {
    kind: 'number',
    default: 0,
    minimum: 0,
    integer: true,
    description: 'Seed of the noise, an integer >= 0.',
  },
} as const;

/** Options of {@link ogmGe}. */
export interface OgmGeOptions extends OptionsOf<typeof ogmGeOptions> {}

/**
 * On-the-fly gradient modulation with generalisation enhancement: the encoder that does more for the joint prediction is
 * slowed, so that the others catch up.
 *
 * With the joint head's kernel cut by modality, `s_k = mean_i softmax(W_k z_ik + b/M)_{y_i}` is what modality k alone gives
 * the true classes of a batch, and `ρ_k = s_k / mean_{j≠k} s_j`. Encoder k's gradient is multiplied with
 * `1 − tanh(α ρ_k)` where `ρ_k > 1`, else with 1; then noise from N(0, σ²) is added, σ the deviation of that tensor's
 * gradient. The scores s_k are its signals.
 *
 * It modulates whatever gradients a strategy yields; the paper's setting is the joint objective alone.
 *
 * @throws MultigradError `invalid-option`
 *
 * @example
 * ```ts
 * import { balanced, ogmGe } from '@multigrad/balancing';
 * import { multilayerPerceptron, multimodalNetwork } from '@multigrad/models';
 * import '@tensorflow/tfjs-backend-cpu';
 *
 * const size = { shape: [3], hidden: [4], features: 4 };
 * const encoders = {
 *   a: multilayerPerceptron({ name: 'a', ...size }),
 *   b: multilayerPerceptron({ name: 'b', ...size }),
 * };
 * const network = multimodalNetwork({ encoders, fusion: 'gated', classes: 2 });
 * try {
 *   balanced(ogmGe({ alpha: 0.3 }), network);
 * } catch (error) {
 *   console.log(String(error)); // … which needs concatenation as the fusion. …
 * }
 * ```
 *
 * @see Peng, Wei, Deng, Wang and Hu, "Balanced Multimodal Learning via On-the-fly Gradient Modulation", CVPR 2022
 * (https://arxiv.org/abs/2203.15332), equations 6 to 11
 */
export function ogmGe(options: OgmGeOptions = {}): BalancingMethod<null> {
  const { alpha, noise, seed } = resolveOptions('ogm-ge', ogmGeOptions, options);
  return {
    specification: 1,
    name: 'ogm-ge',
    needs: {},
    unsupported: whyNotCut,
    init: () => null,
    objectives: (pass) => {
      const { network } = pass;
      const labels = classLabels(pass.labels, network.classes);
      const logits = cutLogits(network, pass.vectors());
      const signals = record(network.modalities, (modality) =>
        trueClassProbability(entry(logits, modality), labels),
      );
      return { objectives: pass.objectives(), signals };
    },
    modulate: ({ step, signals }, state) => {
      const scores = Object.values(signals);
      const parts = Object.keys(signals).map((modality, k): [string, PartModulation] => {
        const gradient = factorOf(scores[k]!, meanOfOthers(scores, k), alpha);
        // The noise has the deviation that the gradient has before it is scaled.
        const change: PartModulation['change'] = (whole, name) =>
          tf.add(tf.mul(whole, gradient), noiseLike(whole, seed, step, name));
        return [modality, noise ? { change } : { gradient }];
      });
      return { parts: Object.fromEntries(parts), state };
    },
  };
}

/** The plugin of {@link ogmGe}. */
export const plugin: BalancingPlugin<OgmGeOptions> = defineBalancing({
  specification: 1,
  name: 'ogm-ge',
  title: 'OGM-GE',
  summary:
    'Slows the encoder that does more for the joint prediction, and adds noise to gradients.',
  paper: {
    title: 'Balanced Multimodal Learning via On-the-fly Gradient Modulation',
    authors: ['Xiaokang Peng', 'Yake Wei', 'Andong Deng', 'Dong Wang', 'Di Hu'],
    venue: 'CVPR',
    year: 2022,
    url: 'https://arxiv.org/abs/2203.15332',
  },
  formula:
    'g_k ← (1 − tanh(α ρ_k)) g_k + ε where ρ_k = s_k / mean_{j≠k} s_j > 1, else g_k + ε; ε ~ N(0, σ²(g_k))',
  use: 'When one modality leads early and the joint head leans on it.',
  serves: 'two or more modalities; concatenation as the fusion',
  deviations: [
    'For more than two modalities each is compared with the mean of the others.',
    "The authors' code modulates convolution kernels only, and in the first epochs; here it is every weight of an encoder, always, as in the paper's equations.",
  ],
  options: ogmGeOptions,
  create: ogmGe,
});

function factorOf(score: number, others: number, alpha: number): number {
  // Not `score / others > 1`, which asks too much where the others give nothing.
  return score > others ? 1 - Math.tanh((alpha * score) / others) : 1;
}

/** Noise with the deviation of a gradient's own entries; a function of seed, step and name. */
function noiseLike(gradient: tf.Tensor, seed: number, step: number, name: string): tf.Tensor {
  const drawn = resumeRandom(randomState(seed, 'ogm-ge', step, name)).integer(2 ** 31 - 1);
  const { variance } = tf.moments(gradient);
  return tf.mul(tf.randomNormal(gradient.shape, 0, 1, 'float32', 1 + drawn), tf.sqrt(variance));
}
