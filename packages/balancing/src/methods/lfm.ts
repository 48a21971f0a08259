import { type OptionsOf, resolveOptions } from '@multigrad/core/strategy';
import * as tf from '@tensorflow/tfjs-core';
import type { BalancingMethod } from '../contract/method.ts';
import { type BalancingPlugin, defineBalancing } from '../contract/plugin.ts';
import { jointOf } from '../support/alone.ts';
import { entry } from '../support/by-name.ts';
import { classLabels, crossEntropy } from '../support/class-labels.ts';
import { cutLogits, whyNotCut } from '../support/joint-head.ts';

const lfmOptions = {
  /** Epochs over which the schedule stretches, an integer >= 1. @defaultValue 200 */
  epochs: {
    kind: 'number',
    default: 200,
    minimum: 1,
    integer: true,
    description: 'Epochs over which the schedule stretches, an integer >= 1.',
  },
} as const;

/** Options of {@link lfm}. */
export interface LfmOptions extends OptionsOf<typeof lfmOptions> {}

/** State of {@link lfm}: number of the epoch. */
export interface LfmState {
  readonly [key: string]: number;
  readonly epoch: number;
}

/**
 * Learning the modality gap dynamically: the modalities' predictions are drawn together first, and fit the labels later.
 *
 * With the joint head's kernel cut by modality, modality k predicts by the logits `o_k = M W_k z_k + b`, whose mean are the joint
 * logits. With `p_k = softmax(o_k)` and `D(p, q) = (KL(m ‖ p) + KL(m ‖ q))/2` in nats, m = (p + q)/2, the joint loss becomes
 * `2 (α CE + (1 − α) mean_{j<k} D(p_j, p_k))`, CE the mean cross-entropy of the joint logits and D a mean over samples. α is {@link lfmWeight} of
 * `200 e / epochs` in epoch e: it rises from 0.2 to 0.95.
 *
 * Its signals are `gap`, the mean divergence, and `alpha`. The modalities' own objectives stay as they are.
 *
 * @throws MultigradError `invalid-option`
 *
 * @example
 * ```ts
 * import { lfm } from '@multigrad/balancing';
 *
 * console.log(lfm({ epochs: 20 }).name); // lfm
 * ```
 *
 * @see Yang, Wan, Jiang and Xu, "Facilitating Multimodal Classification via Dynamically Learning Modality Gap", NeurIPS 2024,
 * and the schedule of the authors' code
 */
export function lfm(options: LfmOptions = {}): BalancingMethod<LfmState> {
  const { epochs } = resolveOptions('lfm', lfmOptions, options);
  return {
    specification: 1,
    name: 'lfm',
    needs: {},
    unsupported: whyNotCut,
    init: () => ({ epoch: 0 }),
    beforeEpoch: ({ epoch }) => ({ epoch }),
    objectives: (pass, { epoch }) => {
      const { network } = pass;
      const joint = jointOf(network);
      const labels = classLabels(pass.labels, network.classes);
      const alpha = lfmWeight((200 * epoch) / epochs);
      const shares = cutLogits(network, pass.vectors());
      const logProbabilities = network.modalities.map((modality) =>
        tf.logSoftmax(tf.mul<tf.Tensor2D>(entry(shares, modality), network.modalities.length)),
      );
      const divergences = logProbabilities.flatMap((p, j) =>
        logProbabilities.slice(j + 1).map((q) => divergence(p, q)),
      );
      const total = tf.sum(tf.mul(tf.addN(divergences), labels.present));
      const gap = tf.div<tf.Scalar>(total, tf.mul(labels.count, divergences.length));
      const fit = crossEntropy(entry(pass.logits(), joint), labels);
      const loss = tf.add(tf.mul(fit, 2 * alpha), tf.mul(gap, 2 * (1 - alpha)));
      const objectives = pass.objectives();
      return {
        objectives: { ...objectives, [joint]: { ...entry(objectives, joint), loss } },
        signals: { gap, alpha: tf.scalar(alpha) },
      };
    },
  };
}

/**
 * The weight α of classification in {@link lfm}, 0.05 to 0.95: the polynomial that the authors fitted to the weights that they
 * learned over 200 epochs.
 *
 * `α(e) = Σ_i c_i e^i`, c = (2.04623704e−1, 3.35472727e−3, 1.22989557e−4, −2.92947416e−6, 2.23835486e−8, −5.39717505e−11).
 *
 * @param epoch - a number >= 0; beyond 200 as at 200
 *
 * @example
 * ```ts
 * import { lfmWeight } from '@multigrad/balancing';
 *
 * console.log(lfmWeight(0), lfmWeight(100)); // 0.204623704 0.539…
 * ```
 */
export function lfmWeight(epoch: number): number {
  const e = Math.min(epoch, 200);
  const value = coefficients.reduceRight((sum, coefficient) => sum * e + coefficient, 0);
  return Math.min(0.95, Math.max(0.05, value));
}

const coefficients = [
  2.04623704e-1, 3.35472727e-3, 1.22989557e-4, -2.92947416e-6, 2.23835486e-8, -5.39717505e-11,
] as const;

/** The divergence D of each row's two distributions, n × 1, in nats, from their logarithms. */
function divergence(logP: tf.Tensor2D, logQ: tf.Tensor2D): tf.Tensor2D {
  const logMean = tf.sub<tf.Tensor2D>(tf.logSumExp(tf.stack([logP, logQ]), 0), Math.LN2);
  const distance = tf.sub(logMean, tf.div(tf.add(logP, logQ), 2));
  return tf.sum(tf.mul(tf.exp(logMean), distance), 1, true);
}

/** The plugin of {@link lfm}. */
export const plugin: BalancingPlugin<LfmOptions> = defineBalancing({
  specification: 1,
  name: 'lfm',
  title: 'LFM',
  summary: "Draws the modalities' predictions together first, and lets them fit the labels later.",
  paper: {
    title: 'Facilitating Multimodal Classification via Dynamically Learning Modality Gap',
    authors: ['Yang Yang', 'Fengqiang Wan', 'Qing-Yuan Jiang', 'Yi Xu'],
    venue: 'NeurIPS',
    year: 2024,
    url: 'https://openreview.net/forum?id=QbsPz0SnyV',
  },
  formula:
    'L = 2 (α CE + (1 − α) mean_{j<k} D(p_j, p_k)), D(p, q) = (KL(m ‖ p) + KL(m ‖ q))/2, p_k = softmax(M W_k z_k + b), α rising from 0.2 to 0.95',
  use: 'When modalities fit the labels at different speeds.',
  serves: 'two or more modalities; concatenation as the fusion',
  deviations: [
    "The divergence is that of the authors' code: from the mean to each distribution, where the Jensen–Shannon divergence goes from each distribution to the mean.",
    "The weight α follows the polynomial of the authors' code, held within 0.05 and 0.95, with the epoch scaled to their 200; the paper's bi-level optimisation, and its heuristic schedule, are not here.",
    'For more than two modalities the divergence is the mean over all pairs.',
  ],
  options: lfmOptions,
  create: lfm,
});
