import { type OptionsOf, resolveOptions } from '@multigrad/core/strategy';
import * as tf from '@tensorflow/tfjs-core';
import type { BalancingMethod } from '../contract/method.ts';
import { type BalancingPlugin, defineBalancing } from '../contract/plugin.ts';
import { jointOf } from '../support/alone.ts';
import { entry, record } from '../support/by-name.ts';
import { classLabels, trueClassProbability } from '../support/class-labels.ts';
import {
  type TeacherOptions,
  teacherOptions,
  teacherOutputs,
  type TeacherWeights,
  teaching,
  whyNoTeachers,
} from '../support/teachers.ts';

const g2dOptions = {
  /** Temperature T of the predictions that are compared, > 0. @defaultValue 1 */
  temperature: {
    kind: 'number',
    default: 1,
    exclusiveMinimum: 0,
    description: 'Temperature of the predictions that are compared, > 0.',
  },
  /** Weight of the divergence from the teachers' predictions, >= 0. @defaultValue 1 */
  logits: {
    kind: 'number',
    default: 1,
    minimum: 0,
    description: "Weight of the divergence from the teachers' predictions, >= 0.",
  },
  /** Weight of the distance to the teachers' features, >= 0. @defaultValue 1 */
  features: {
    kind: 'number',
    default: 1,
    minimum: 0,
    description: "Weight of the distance to the teachers' features, >= 0.",
  },
  /** Epochs in which the encoder of the surer teacher gets no update, an integer >= 0. @defaultValue 151 */
  priorityEpochs: {
    kind: 'number',
    default: 151,
    minimum: 0,
    integer: true,
    description:
      'Epochs in which the encoder of the surer teacher gets no update, an integer >= 0.',
  },
} as const;

/** Options of {@link g2d}. */
export interface G2dOptions extends OptionsOf<typeof g2dOptions>, TeacherOptions {}

/** State of {@link g2d}. */
export interface G2dState {
  readonly [key: string]: TeacherWeights | null | number;
  /** The teachers' weights once they are there. */
  readonly teachers: TeacherWeights | null;
  /** Number of the epoch. */
  readonly epoch: number;
}

/**
 * Gradient-guided distillation: the joint prediction and the encoders learn from a teacher of each modality, and the encoder whose
 * teacher is surer waits for the other.
 *
 * Before the first epoch a teacher trains for each modality, encoder and own head by the modality's own objective, from the
 * weights that the network starts from. With t_k the teacher's features, f_k its logits, z_k the encoder's features as vectors of
 * length d_k and u the joint logits, the joint loss becomes
 * `CE + Σ_k λ T² KL(softmax(f_k/T) ‖ softmax(u/T)) + μ mean_i ‖z_ik − t_ik‖²/d_k`, λ the option `logits`, μ the option `features`.
 * In the first `priorityEpochs` epochs the encoder whose teacher gives the true classes of a batch the higher mean probability
 * gets no update. These probabilities are its signals.
 *
 * The modalities' own objectives stay as they are; the paper has none.
 *
 * @param teachers - weights of teachers that were trained before, as {@link G2dState} has them; then none are trained
 * @throws MultigradError `invalid-option`
 *
 * @example
 * ```ts
 * import { g2d } from '@multigrad/balancing';
 *
 * console.log(g2d({ temperature: 2, teacherEpochs: 3 }).needs); // { data: 'batches' }
 * ```
 *
 * @see Rakib and Bagavathi, "G2D: Boosting Multimodal Learning with Gradient-Guided Distillation", ICCV 2025
 * (https://arxiv.org/abs/2506.21514)
 */
export function g2d(
  options: G2dOptions = {},
  teachers: TeacherWeights | null = null,
): BalancingMethod<G2dState> {
  const resolved = resolveOptions('g2d', specs, options);
  const { temperature, logits: ofLogits, features: ofFeatures, priorityEpochs } = resolved;
  const { needs, tensors, teachersOf } = teaching(teachers, resolved);
  return {
    specification: 1,
    name: 'g2d',
    needs,
    unsupported: (network) =>
      whyNoTeachers(network) ??
      (priorityEpochs === 0 || network.modalities.length === 2
        ? null
        : "which encoder waits is said of two modalities by its authors' code; with the option `priorityEpochs` at 0 none does. " +
          `Found ${network.modalities.join(', ')}`),
    init: () => ({ teachers, epoch: 0 }),
    tensors,
    beforeEpoch: async (start, state) => ({
      teachers: await teachersOf(start, state),
      epoch: start.epoch,
    }),
    objectives: (pass) => {
      const { network } = pass;
      const joint = jointOf(network);
      const objectives = pass.objectives();
      const taught = teacherOutputs(pass);
      if (taught === null) return { objectives };
      const vectors = pass.vectors();
      const prediction = tf.logSoftmax(tf.div(entry(pass.logits(), joint), temperature));
      const terms = Object.entries(taught).map(([modality, teacher]) => {
        const distance = tf.mean(tf.squaredDifference(entry(vectors, modality), teacher.vector));
        const logs = tf.logSoftmax(tf.div(teacher.logits, temperature));
        const differences = tf.mul(tf.exp(logs), tf.sub(logs, prediction));
        const divergence = tf.mul(tf.mean(tf.sum(differences, 1)), temperature ** 2);
        return tf.add(tf.mul(divergence, ofLogits), tf.mul(distance, ofFeatures));
      });
      const own = entry(objectives, joint);
      const loss = tf.add(own.loss, tf.addN(terms));
      const truth = classLabels(pass.labels, network.classes);
      const signals = record(network.modalities, (modality) =>
        trueClassProbability(entry(taught, modality).logits, truth),
      );
      return { objectives: { ...objectives, [joint]: { ...own, loss } }, signals };
    },
    modulate: ({ signals }, state) => {
      const known = Object.entries(signals);
      if (state.epoch >= priorityEpochs || known.length === 0) return { parts: {}, state };
      const [surest] = known.reduce((most, one) => (one[1] > most[1] ? one : most));
      return { parts: { [surest]: null }, state };
    },
  };
}

const specs = { ...g2dOptions, ...teacherOptions };

/** The plugin of {@link g2d}. */
export const plugin: BalancingPlugin<G2dOptions> = defineBalancing({
  specification: 1,
  name: 'g2d',
  title: 'G2D',
  summary:
    'Distils from a teacher of each modality, and lets the encoder whose teacher is surer wait for the other.',
  paper: {
    title: 'G2D: Boosting Multimodal Learning with Gradient-Guided Distillation',
    authors: ['Mohammed Rakib', 'Arunkumar Bagavathi'],
    venue: 'ICCV',
    year: 2025,
    url: 'https://arxiv.org/abs/2506.21514',
  },
  formula:
    'L = CE + Σ_k λ T² KL(softmax(f_k/T) ‖ softmax(u/T)) + μ mean_i ‖z_ik − t_ik‖²/d_k, f_k and t_k of a teacher of modality k; no update of the encoder whose teacher is surer',
  use: 'When one modality leads, and twice the training time is there.',
  serves: 'two or more modalities, two with priority; any fusion; no exchange between encoders',
  deviations: [
    "The equations are those of the authors' code; the paper's text was not compared with them.",
    'Teachers train for `teacherEpochs` epochs with Adam, not until they converge; own ones can be handed to `g2d`.',
    'The encoder that waits gets no update at all; that code sets the gradients of its convolution kernels to zero.',
    'That code says of two modalities alone which one waits, so that more need `priorityEpochs` at 0.',
  ],
  options: specs,
  create: g2d,
});
