import {
  type OptionsOf,
  randomState,
  resolveOptions,
  resumeRandom,
} from '@multigrad/core/strategy';
import * as tf from '@tensorflow/tfjs-core';
import type { BalancingMethod } from '../contract/method.ts';
import type { Pass } from '../contract/pass.ts';
import { type BalancingPlugin, defineBalancing } from '../contract/plugin.ts';
import { jointOf, maskedLogits } from '../support/alone.ts';
import { entry } from '../support/by-name.ts';
import { classLabels, crossEntropy } from '../support/class-labels.ts';

const cmlOptions = {
  /** Weight λ of the rises of confidence, >= 0. @defaultValue 0.1 */
  lambda: {
    kind: 'number',
    default: 0.1,
    minimum: 0,
    description: 'Weight of the rises of confidence, >= 0.',
  },
  /** Seed of the order in which modalities are removed, an integer >= 0. @defaultValue 0 */
  seed: {
    kind: 'number',
    default: 0,
    minimum: 0,
    integer: true,
    description: 'Seed of the order in which modalities are removed, an integer >= 0.',
  },
} as const;

/** Options of {@link cml}. */
export interface CmlOptions extends OptionsOf<typeof cmlOptions> {}

/**
 * Calibrating multimodal learning: the prediction should not become surer of itself when a modality is removed.
 *
 * At each step the modalities are removed one after the other, in random order, until one is left: `S_1 ⊃ S_2 ⊃ … ⊃ S_M`, S_1
 * all of them. With p_j the joint prediction from S_j, the other modalities' features zero, and the confidence
 * `c_ij = max_c p_j(c | x_i)`, the joint loss becomes
 * `(1/M) Σ_j CE_j + λ Σ_{j<M} mean_i max(0, c_{i,j+1} − c_ij)`, CE_j the mean cross-entropy of p_j.
 *
 * Its signal `rise` is the sum of the rises. The modalities' own objectives stay as they are.
 *
 * @throws MultigradError `invalid-option`
 *
 * @example
 * ```ts
 * import { cml } from '@multigrad/balancing';
 *
 * console.log(cml({ lambda: 0.5 }).name); // cml
 * ```
 *
 * @see Ma, Zhang, Zhang, Wu, Fu, Zhou and Hu, "Calibrating Multimodal Learning", ICML 2023
 * (https://arxiv.org/abs/2306.01265), section 4
 */
export function cml(options: CmlOptions = {}): BalancingMethod<null> {
  const { lambda, seed } = resolveOptions('cml', cmlOptions, options);
  return {
    specification: 1,
    name: 'cml',
    needs: {},
    init: () => null,
    objectives: (pass) => {
      const { network, mode } = pass;
      const joint = jointOf(network);
      const labels = classLabels(pass.labels, network.classes);
      const chain = removals(pass, seed, mode.step ?? 0);
      const losses = chain.map((logits) => crossEntropy(logits, labels));
      const confidences = chain.map((logits) => tf.max(tf.softmax(logits), 1, true));
      const rises = confidences
        .slice(1)
        .map((less, j) => tf.sum(tf.mul(tf.relu(tf.sub(less, confidences[j]!)), labels.present)));
      const rise = tf.div<tf.Scalar>(tf.addN(rises), labels.count);
      const loss = tf.add(tf.div(tf.addN(losses), losses.length), tf.mul(rise, lambda));
      const objectives = pass.objectives();
      return {
        objectives: { ...objectives, [joint]: { ...entry(objectives, joint), loss } },
        signals: { rise },
      };
    },
  };
}

/** The joint logits of all modalities, then of one less at a time. */
function removals(pass: Pass, seed: number, step: number): tf.Tensor2D[] {
  const { modalities } = pass.network;
  const order = resumeRandom(randomState(seed, 'cml', step)).permutation(modalities.length);
  const removed = Array.from(order.subarray(0, -1), (k) => modalities[k]!);
  return [
    entry(pass.logits(), jointOf(pass.network)),
    ...removed.map((_, j) => {
      const gone = removed.slice(0, j + 1);
      return maskedLogits(
        pass,
        modalities.filter((modality) => !gone.includes(modality)),
      );
    }),
  ];
}

/** The plugin of {@link cml}. */
export const plugin: BalancingPlugin<CmlOptions> = defineBalancing({
  specification: 1,
  name: 'cml',
  title: 'CML',
  summary: 'Punishes predictions that become surer of themselves when a modality is removed.',
  paper: {
    title: 'Calibrating Multimodal Learning',
    authors: [
      'Huan Ma',
      'Qingyang Zhang',
      'Changqing Zhang',
      'Bingzhe Wu',
      'Huazhu Fu',
      'Joey Tianyi Zhou',
      'Qinghua Hu',
    ],
    venue: 'ICML',
    year: 2023,
    url: 'https://arxiv.org/abs/2306.01265',
  },
  formula:
    'L = (1/M) Σ_j CE_j + λ Σ_j mean_i max(0, c_{i,j+1} − c_ij), c_ij the confidence of sample i with modalities S_j',
  use: 'When the joint prediction should be calibrated, and should bear a missing modality.',
  serves: 'two or more modalities; any fusion',
  deviations: [
    'Confidences are compared along one random chain of subsets for each step, as in the authors’ code, not for every pair of subsets.',
    'A removed modality has features of zero, as late fusion allows; the authors’ code imputes inputs.',
    'Rises are means over samples, not sums; the authors’ code leaves out samples that are predicted wrongly, which the paper’s equation does not.',
  ],
  options: cmlOptions,
  create: cml,
});
