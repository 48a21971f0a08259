import { MultigradError, type OptionsOf, resolveOptions } from '@multigrad/core/strategy';
import * as tf from '@tensorflow/tfjs-core';
import type { BalancingMethod, EpochStart } from '../contract/method.ts';
import { type BalancingPlugin, defineBalancing } from '../contract/plugin.ts';
import { jointOf } from '../support/alone.ts';
import { entry, record } from '../support/by-name.ts';
import { type ClassLabels, classLabels } from '../support/class-labels.ts';
import { classMeans, type ClassMeans, type ClassRows } from '../support/class-means.ts';
import { constants } from '../support/constants.ts';

const pmrOptions = {
  /** Weight α of the prototypical cross-entropy of a modality that lags, >= 0. @defaultValue 1 */
  alpha: {
    kind: 'number',
    default: 1,
    minimum: 0,
    description: 'Weight of the prototypical cross-entropy of a modality that lags, >= 0.',
  },
  /** Weight μ of the entropy of a modality that leads, >= 0. @defaultValue 0.01 */
  mu: {
    kind: 'number',
    default: 0.01,
    minimum: 0,
    description: 'Weight of the entropy of a modality that leads, >= 0.',
  },
  /**
   * Number of updates of the prototypes, one each epoch, during which the entropy counts, an integer >= 0.
   *
   * @defaultValue 10
   */
  entropyUpdates: {
    kind: 'number',
    default: 10,
    minimum: 0,
    integer: true,
    description: 'For how many updates of the prototypes the entropy counts, an integer >= 0.',
  },
  /** Share of the old prototypes that an update keeps, from 0 to 1. @defaultValue 0.2 */
  momentum: {
    kind: 'number',
    default: 0.2,
    minimum: 0,
    maximum: 1,
    description: 'Share of the old prototypes that an update keeps, from 0 to 1.',
  },
  /**
   * Share of the training data that an update reads, above 0, at most 1. Where a class has none of its samples in it before
   * its first prototype, all training data are read. @defaultValue 0.1
   */
  share: {
    kind: 'number',
    default: 0.1,
    exclusiveMinimum: 0,
    maximum: 1,
    description:
      'Share of the training data that an update of the prototypes reads, above 0, at most 1.',
  },
} as const;

/** Options of {@link pmr}. */
export interface PmrOptions extends OptionsOf<typeof pmrOptions> {}

/** What {@link pmr} remembers. */
export type PmrState = {
  /** Updates of the prototypes so far. */
  readonly updates: number;
  /** By modality classes × features; null before the first update. */
  readonly prototypes: ClassRows | null;
};

// Least squared distance: it keeps the slope at a prototype itself, 0 divided by the distance, at 0.
const leastDistance = 1e-12;

/**
 * Prototypical modal rebalance: the modality that lags is drawn to the mean features of its classes, the one that leads is
 * kept from being too sure too early.
 *
 * With prototypes c_mk, the mean features of class k in modality m, a modality's class probabilities are
 * `p_mk(z) = softmax_k(−‖z − c_mk‖)`. Its score is `s_m = mean_i p_{m,y_i}(z_i)`, and `ρ_m = s_m / mean_{j≠m} s_j`. The joint
 * loss becomes `L + Σ_m α clip(1/ρ_m − 1, 0, 1) CE_m − μ clip(ρ_m − 1, 0, 1) H_m`, CE_m and H_m the mean cross-entropy and
 * entropy of p_m; ratios and prototypes are constants in its gradient. The scores are its signals. Prototypes move before
 * each epoch: `c ← momentum c + (1 − momentum) mean`.
 *
 * It concerns the encoders alone, so it works with any fusion and any strategy; the paper's setting is the joint
 * objective alone.
 *
 * @throws MultigradError `invalid-option`; before an epoch `invalid-data` for a class without a sample
 *
 * @example
 * ```ts
 * import { balanced, pmr } from '@multigrad/balancing';
 * import { multilayerPerceptron, multimodalNetwork } from '@multigrad/models';
 * import '@tensorflow/tfjs-backend-cpu';
 * import * as tf from '@tensorflow/tfjs-core';
 *
 * const size = { shape: [3], hidden: [4], features: 4 };
 * const encoders = {
 *   a: multilayerPerceptron({ name: 'a', ...size }),
 *   b: multilayerPerceptron({ name: 'b', ...size }),
 * };
 * const network = multimodalNetwork({ encoders, classes: 2 });
 * const batch = () => ({
 *   a: tf.eye(2, 3),
 *   b: tf.ones([2, 3]),
 *   label: tf.tensor1d([0, 1], 'int32'),
 * });
 * const balance = balanced(pmr({ alpha: 1 }), network, {
 *   data: { batches: () => [batch()], count: 1 }, // or { samples } with a position for each
 * });
 * await balance.callback.onEpochBegin?.(0); // `fit` calls it
 * const { multimodal } = balance.options.objectives(batch(), { training: true, step: 0 });
 * console.log(multimodal?.metrics?.['pmr/b']?.arraySync()); // 0.5: b cannot tell the classes apart
 * balance.dispose();
 * ```
 *
 * @see Fan, Xu, Wang, Wang and Guo, "PMR: Prototypical Modal Rebalance for Multimodal Learning", CVPR 2023
 * (https://arxiv.org/abs/2211.07089), section 3
 */
export function pmr(options: PmrOptions = {}): BalancingMethod<PmrState> {
  const { alpha, mu, entropyUpdates, momentum, share } = resolveOptions('pmr', pmrOptions, options);
  return {
    specification: 1,
    name: 'pmr',
    needs: { data: 'batches' },
    init: () => ({ updates: 0, prototypes: null }),
    tensors: ({ prototypes }) =>
      Object.fromEntries(
        Object.entries(prototypes ?? {}).map(([modality, rows]) => [
          modality,
          tf.tensor2d(rows.map((row) => [...row])),
        ]),
      ),
    beforeEpoch: async (start, { updates, prototypes }) => ({
      updates: updates + 1,
      prototypes: await moved(start, prototypes, momentum, share),
    }),
    objectives: (pass, { updates, prototypes }) => {
      const objectives = pass.objectives();
      if (prototypes === null) return { objectives };
      const { network, tensors } = pass;
      const labels = classLabels(pass.labels, network.classes);
      const vectors = pass.vectors();
      const predictions = network.modalities.map((modality) =>
        predict(entry(vectors, modality), entry(tensors, modality) as tf.Tensor2D, labels),
      );
      const scores = predictions.map(({ score }) => score);
      const weights = constants(() => weigh(scores, alpha, updates <= entropyUpdates ? mu : 0));
      const terms = predictions.flatMap(({ crossEntropy, entropy }, m) => [
        tf.mul(crossEntropy, weights[2 * m]!),
        tf.neg(tf.mul(entropy, weights[2 * m + 1]!)),
      ]);
      const joint = jointOf(network);
      const measured = entry(objectives, joint);
      const loss = tf.addN([measured.loss, ...terms]);
      return {
        objectives: { ...objectives, [joint]: { ...measured, loss } },
        signals: record(network.modalities, (_, m) => scores[m]!),
      };
    },
  };
}

/** The plugin of {@link pmr}. */
export const plugin: BalancingPlugin<PmrOptions> = defineBalancing({
  specification: 1,
  name: 'pmr',
  title: 'PMR',
  summary:
    'Draws the modality that lags to the mean features of its classes, and keeps the one that leads from being sure early.',
  paper: {
    title: 'PMR: Prototypical Modal Rebalance for Multimodal Learning',
    authors: ['Yunfeng Fan', 'Wenchao Xu', 'Haozhao Wang', 'Junxiao Wang', 'Song Guo'],
    venue: 'CVPR',
    year: 2023,
    url: 'https://arxiv.org/abs/2211.07089',
  },
  formula:
    'L ← L + Σ_m α clip(1/ρ_m − 1, 0, 1) CE_m − μ clip(ρ_m − 1, 0, 1) H_m; p_mk(z) = softmax_k(−‖z − c_mk‖), ρ_m = s_m / mean_{j≠m} s_j',
  use: 'When one encoder hardly moves: it gets a loss of its own that needs no head.',
  serves: 'any fusion, two or more modalities',
  deviations: [
    "Prototypes are means of features in inference mode, as in the authors' code. Where an encoder gives the same features for every input there, as a very narrow one may until moving statistics have followed, its prototypes are equal and say nothing of a class.",
    'The paper has the ratio of two modalities; for more, each is compared with the mean of the others.',
    "The authors' code weighs a lagging modality with α whole, not clipped, and has no entropy; μ and its duration are this package's defaults.",
  ],
  options: pmrOptions,
  create: pmr,
});

/** The prototypes of the next epoch. */
async function moved(
  { network, data }: EpochStart,
  before: ClassRows | null,
  momentum: number,
  share: number,
): Promise<ClassRows> {
  const some = await classMeans(network, data!.batches(share));
  const lacks = ({ counts }: ClassMeans): number => counts.indexOf(0);
  const found =
    before === null && share < 1 && lacks(some) >= 0
      ? await classMeans(network, data!.batches())
      : some;
  const absent = lacks(found);
  if (before === null && absent >= 0) {
    const all = found.counts.reduce((total, count) => total + count, 0);
    throw new MultigradError(
      'invalid-data',
      `\`pmr\` needs a sample of each of the ${network.classes} classes. Found none of class ${absent} among ${all} labelled samples.`,
    );
  }
  return record(network.modalities, (modality) =>
    entry(found.means, modality).map((mean, c) => {
      const old = before === null ? null : entry(before, modality)[c]!;
      if (old === null) return mean;
      if (mean.length === 0) return old;
      return mean.map((value, i) => momentum * old[i]! + (1 - momentum) * value);
    }),
  );
}

/** Cross-entropy, entropy and score of the class probabilities that a modality's prototypes give a batch: means over labelled samples. */
interface Prediction {
  readonly crossEntropy: tf.Tensor;
  readonly entropy: tf.Tensor;
  readonly score: tf.Scalar;
}

function predict(
  z: tf.Tensor2D,
  prototypes: tf.Tensor2D,
  { target, present, count }: ClassLabels,
): Prediction {
  // Differences first: |z|² − 2 z·c + |c|² would lose the digits of small distances.
  const differences = tf.sub(tf.expandDims(z, 1), tf.expandDims(prototypes, 0));
  const squares = tf.sum(tf.square(differences), 2);
  const distances = tf.sqrt(tf.maximum<tf.Tensor2D>(squares, leastDistance));
  const logProbabilities = tf.logSoftmax(tf.neg<tf.Tensor2D>(distances));
  const probabilities = tf.exp(logProbabilities);
  const mean = (perClass: tf.Tensor): tf.Scalar => tf.div(tf.sum(perClass), count);
  return {
    crossEntropy: tf.neg(mean(tf.mul(target, logProbabilities))),
    entropy: tf.neg(mean(tf.mul(tf.mul(probabilities, logProbabilities), present))),
    score: mean(tf.mul(probabilities, target)),
  };
}

/** For each modality the weight of its cross-entropy, then that of its entropy. */
function weigh(scores: readonly tf.Scalar[], alpha: number, mu: number): tf.Tensor[] {
  return scores.flatMap((score, m) => {
    const others = scores.filter((_, j) => j !== m);
    const ratio = tf.div(tf.mul(score, others.length), tf.addN([...others]));
    const share = (excess: tf.Tensor): tf.Tensor => tf.clipByValue(excess, 0, 1);
    return [
      tf.mul(share(tf.sub(tf.reciprocal(ratio), 1)), alpha),
      tf.mul(share(tf.sub(ratio, 1)), mu),
    ];
  });
}
