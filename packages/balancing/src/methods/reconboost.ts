import { type OptionsOf, resolveOptions } from '@multigrad/core/strategy';
import * as tf from '@tensorflow/tfjs-core';
import type { BalancingMethod } from '../contract/method.ts';
import type { MeasuredObjective } from '../contract/network.ts';
import { type BalancingPlugin, defineBalancing } from '../contract/plugin.ts';
import { jointOf } from '../support/alone.ts';
import { alsoReaching } from '../support/also-reaching.ts';
import { entry, record } from '../support/by-name.ts';
import { type ClassLabels, classLabels } from '../support/class-labels.ts';
import { constant } from '../support/constants.ts';

const reconboostOptions = {
  /** Epochs in which a stage boosts one modality, an integer >= 1. @defaultValue 4 */
  stageEpochs: {
    kind: 'number',
    default: 4,
    minimum: 1,
    integer: true,
    description: 'Epochs in which a stage boosts one modality, an integer >= 1.',
  },
  /** Epochs after them in which all modalities are trained together, an integer >= 0. @defaultValue 4 */
  jointEpochs: {
    kind: 'number',
    default: 4,
    minimum: 0,
    integer: true,
    description: 'Epochs after them in which all modalities train together, an integer >= 0.',
  },
  /** Weight of the boosted modality's cross-entropy, >= 0. @defaultValue 5 */
  agreement: {
    kind: 'number',
    default: 5,
    minimum: 0,
    description: "Weight of the boosted modality's cross-entropy, >= 0.",
  },
  /** How much less samples count that the others predict already, >= 0. @defaultValue 1 */
  reconcilement: {
    kind: 'number',
    default: 1,
    minimum: 0,
    description: 'How much less samples count that the others predict already, >= 0.',
  },
} as const;

/** Options of {@link reconboost}. */
export interface ReconboostOptions extends OptionsOf<typeof reconboostOptions> {}

/** The state of {@link reconboost}. */
export type ReconboostState = {
  readonly epoch: number;
  /** The joint objective first, then the modalities. */
  readonly objectives: readonly string[];
};

/**
 * ReconBoost: modalities are learners of a boosted ensemble; a stage trains one of them on what the others do not predict yet,
 * then all are trained together.
 *
 * The joint prediction is the sum of the logits `f_m` of the modalities' own heads, of those that have had a stage. In the
 * stage of modality k, with `q = softmax(Σ_{m≠k} f_m)` a constant and C classes, its loss is
 * `−(1/C) mean_i (A − R q_{i,y_i}) log softmax(f_k)_{i,y_i}`; q is 1 where no other modality has had a stage. In joint epochs
 * the loss is the cross-entropy of the sum. Stages go through the modalities in turn.
 *
 * The joint head and the fusion are not used, and keep their weights.
 *
 * @throws MultigradError `invalid-option`
 *
 * @example
 * ```ts
 * import { balanced, reconboost } from '@multigrad/balancing';
 * import { multilayerPerceptron, multimodalNetwork } from '@multigrad/models';
 * import '@tensorflow/tfjs-backend-cpu';
 *
 * const size = { shape: [3], hidden: [4], features: 4 };
 * const encoders = {
 *   a: multilayerPerceptron({ name: 'a', ...size }),
 *   b: multilayerPerceptron({ name: 'b', ...size }),
 * };
 * const network = multimodalNetwork({ encoders, classes: 2 });
 * const balance = balanced(reconboost(), network);
 * console.log(balance.options.lossWeights); // { multimodal: 0, a: 1, b: 0 }: a is boosted first
 * ```
 *
 * @see Hua, Xu, Bao, Yang and Huang, "ReconBoost: Boosting Can Achieve Modality Reconcilement", ICML 2024
 * (https://arxiv.org/abs/2405.09321)
 */
export function reconboost(options: ReconboostOptions = {}): BalancingMethod<ReconboostState> {
  const { stageEpochs, jointEpochs, agreement, reconcilement } = resolveOptions(
    'reconboost',
    reconboostOptions,
    options,
  );
  const stageOf = ({ epoch, objectives: [, ...modalities] }: ReconboostState): Stage => {
    const stage = Math.floor(epoch / (stageEpochs + jointEpochs));
    const boosts = epoch % (stageEpochs + jointEpochs) < stageEpochs;
    return {
      boosted: boosts ? modalities[stage % modalities.length]! : null,
      earlier: modalities.slice(0, stage),
      learners: modalities.slice(0, stage + 1),
    };
  };
  return {
    specification: 1,
    name: 'reconboost',
    needs: { evaluation: true },
    init: ({ objectives }) => ({ epoch: 0, objectives }),
    lossWeights: (state) => {
      const trained = stageOf(state).boosted ?? state.objectives[0];
      return record(state.objectives, (name) => +(name === trained));
    },
    beforeEpoch: ({ epoch }, state) => ({ ...state, epoch }),
    objectives: (pass, state) => {
      const { network, labels, mode } = pass;
      const { boosted, earlier, learners } = stageOf(state);
      const joint = jointOf(network);
      const own = pass.logits();
      const sum = tf.addN(learners.map((learner) => entry(own, learner)));
      const objectives = network.objectivesFromLogits({ ...own, [joint]: sum }, labels);
      const { loss, ...measured } = entry(objectives, joint);
      // A trainer wants an objective to reach the same variables at every step.
      const unused = Object.keys(own).filter((name) => !learners.includes(name));
      const reached = alsoReaching(
        loss,
        unused.map((name) => entry(own, name)),
      );
      const reaching: Record<string, MeasuredObjective> = {
        ...objectives,
        [joint]: { ...measured, loss: reached },
      };
      if (!mode.training || boosted === null) return { objectives: reaching };
      const truth = classLabels(labels, network.classes);
      const others = earlier.filter((learner) => learner !== boosted);
      // n × 1: what the others give the true class.
      const known = constant(() =>
        others.length === 0
          ? tf.clone(truth.present)
          : trueProbabilities(tf.addN(others.map((learner) => entry(own, learner))), truth),
      );
      const weights = tf.sub(agreement, tf.mul(reconcilement, known));
      const logs = tf.sum(tf.mul(tf.logSoftmax(entry(own, boosted)), truth.target), 1, true);
      const total = tf.sum(tf.mul(weights, logs));
      const boosting = tf.div(tf.neg(total), tf.mul(truth.count, network.classes));
      return {
        objectives: { ...reaching, [boosted]: { ...entry(reaching, boosted), loss: boosting } },
      };
    },
    modulate: (_, state) => {
      const { boosted, learners } = stageOf(state);
      const [joint, ...modalities] = state.objectives;
      const trained = boosted === null ? learners : [boosted];
      const idle = modalities.filter((modality) => !trained.includes(modality));
      const resting = [...idle, ...idle.map((own) => `head/${own}`), `head/${joint!}`, 'fusion'];
      return { parts: record(resting, () => null), state };
    },
  };
}

/** The plugin of {@link reconboost}. */
export const plugin: BalancingPlugin<ReconboostOptions> = defineBalancing({
  specification: 1,
  name: 'reconboost',
  title: 'ReconBoost',
  summary:
    'Trains one modality after the other on what the others do not predict yet, as learners of a boosted ensemble.',
  paper: {
    title: 'ReconBoost: Boosting Can Achieve Modality Reconcilement',
    authors: ['Cong Hua', 'Qianqian Xu', 'Shilong Bao', 'Zhiyong Yang', 'Qingming Huang'],
    venue: 'ICML',
    year: 2024,
    url: 'https://arxiv.org/abs/2405.09321',
  },
  formula:
    'in the stage of k: −(1/C) mean_i (A − R q_iy) log softmax(f_k)_iy, q = softmax(Σ_{m≠k} f_m); in joint epochs: CE(Σ_m f_m)',
  use: 'When modalities hold each other back in joint training, and there are epochs enough to train them in turn.',
  serves:
    'two or more modalities; the prediction is the sum of the unimodal heads, so any fusion, which stays unused',
  deviations: [
    "The loss of a stage is that of the authors' code.",
    "The authors' code adds a loss for memory consolidation that it cuts from every gradient, so that it has no effect; it is left out.",
    'Modalities have their own linear heads here; by default that code has one head of two layers for all.',
    "That code makes a new optimizer for each stage; here the optimizer's memory of a modality rests until its next stage.",
    'That code learns a factor of the sum in joint epochs, from 1 on; here it is 1.',
  ],
  options: reconboostOptions,
  create: reconboost,
});

interface Stage {
  /** The modality that the epoch boosts; null in joint epochs. */
  readonly boosted: string | null;
  /** The modalities that had a stage before this one. */
  readonly earlier: readonly string[];
  /** The same with this stage's. */
  readonly learners: readonly string[];
}

/** The probability of each sample's true class, n × 1; 0 where the label is missing. */
function trueProbabilities(logits: tf.Tensor, { target }: ClassLabels): tf.Tensor2D {
  return tf.sum<tf.Tensor2D>(tf.mul(tf.softmax(logits), target), 1, true);
}
