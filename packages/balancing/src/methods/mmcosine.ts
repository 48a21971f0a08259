import { type OptionsOf, resolveOptions } from '@multigrad/core/strategy';
import * as tf from '@tensorflow/tfjs-core';
import type { BalancingMethod } from '../contract/method.ts';
import { type BalancingPlugin, defineBalancing } from '../contract/plugin.ts';
import { jointOf } from '../support/alone.ts';
import { entry } from '../support/by-name.ts';
import { cutKernel, whyNotCut } from '../support/joint-head.ts';

const mmcosineOptions = {
  /** Scale s of the cosines, > 0. @defaultValue 10 */
  scale: {
    kind: 'number',
    default: 10,
    exclusiveMinimum: 0,
    description: 'Scale of the cosines, > 0.',
  },
} as const;

/** Options of {@link mmcosine}. */
export interface MmcosineOptions extends OptionsOf<typeof mmcosineOptions> {}

/**
 * Multi-modal cosine loss: each modality has the same say in the joint logits, since its features and weights count by their
 * direction alone.
 *
 * With the joint head's kernel cut by modality, W_kc the part of class c that meets modality k's features:
 * `logit_c = s Σ_k cos(z_k, W_kc)`; the head's bias is left aside. Loss and accuracy of the joint objective come from these
 * logits, in training and in evaluation.
 *
 * What the network's own `forward` and `predict` return is another thing: the plain logits. Predict with
 * `s Σ_k cos(z_k, W_kc)` after a training with this method.
 *
 * @throws MultigradError `invalid-option`
 *
 * @example
 * ```ts
 * import { mmcosine } from '@multigrad/balancing';
 *
 * console.log(mmcosine({ scale: 15 }).name); // mmcosine
 * ```
 *
 * @see Xu, Feng, Zhang and Hu, "MMCosine: Multi-Modal Cosine Loss Towards Balanced Audio-Visual Fine-Grained Learning", ICASSP
 * 2023 (https://arxiv.org/abs/2303.05338), section 3
 */
export function mmcosine(options: MmcosineOptions = {}): BalancingMethod<null> {
  const { scale } = resolveOptions('mmcosine', mmcosineOptions, options);
  return {
    specification: 1,
    name: 'mmcosine',
    needs: { evaluation: true },
    unsupported: whyNotCut,
    init: () => null,
    objectives: (pass) => {
      const { network } = pass;
      const vectors = pass.vectors();
      const kernels = cutKernel(network);
      const cosines = network.modalities.map((modality) =>
        tf.matMul(unit(entry(vectors, modality), 1), unit(entry(kernels, modality), 0)),
      );
      // The bias has no say; a gradient of zero lets a trainer that knows it go on.
      const bias = entry(network.heads, jointOf(network)).weights[1]!.read();
      const cosine = tf.add(tf.mul(tf.addN(cosines), scale), tf.mul(bias, 0));
      const logits = { ...pass.logits(), [jointOf(network)]: cosine };
      return {
        objectives: network.objectivesFromLogits(
          logits as Record<string, tf.Tensor2D>,
          pass.labels,
        ),
      };
    },
  };
}

/** Vectors along an axis, divided by their lengths; 0 where they are 0. */
function unit(vectors: tf.Tensor2D, axis: number): tf.Tensor2D {
  const squares = tf.sum(tf.square(vectors), axis, true);
  // Not the largest of length and a small number: the root has no slope at 0.
  return tf.div(vectors, tf.sqrt(tf.maximum(squares, leastSquare)));
}

const leastSquare = 1e-24;

/** The plugin of {@link mmcosine}. */
export const plugin: BalancingPlugin<MmcosineOptions> = defineBalancing({
  specification: 1,
  name: 'mmcosine',
  title: 'MMCosine',
  summary: 'Gives each modality the same say: joint logits are sums of scaled cosines.',
  paper: {
    title: 'MMCosine: Multi-Modal Cosine Loss Towards Balanced Audio-Visual Fine-Grained Learning',
    authors: ['Ruize Xu', 'Ruoxuan Feng', 'Shi-Xiong Zhang', 'Di Hu'],
    venue: 'ICASSP',
    year: 2023,
    url: 'https://arxiv.org/abs/2303.05338',
  },
  formula: 'logit_c = s Σ_k cos(z_k, W_kc)',
  use: 'When one modality leads by the length of its features or of its weights.',
  serves: 'two or more modalities; concatenation as the fusion',
  deviations: [
    "The paper's other fusions are not here: its equations cut the joint head by modality, which needs concatenation.",
  ],
  options: mmcosineOptions,
  create: mmcosine,
});
