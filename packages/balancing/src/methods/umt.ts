import { type OptionsOf, resolveOptions } from '@multigrad/core/strategy';
import * as tf from '@tensorflow/tfjs-core';
import type { BalancingMethod } from '../contract/method.ts';
import { type BalancingPlugin, defineBalancing } from '../contract/plugin.ts';
import { jointOf } from '../support/alone.ts';
import { entry } from '../support/by-name.ts';
import {
  type TeacherOptions,
  teacherOptions,
  teacherOutputs,
  type TeacherWeights,
  teaching,
  whyNoTeachers,
} from '../support/teachers.ts';

const umtOptions = {
  /** Weight λ of the distance to the teachers' features, >= 0. @defaultValue 1 */
  weight: {
    kind: 'number',
    default: 1,
    minimum: 0,
    description: "Weight of the distance to the teachers' features, >= 0.",
  },
} as const;

/** Options of {@link umt}. */
export interface UmtOptions extends OptionsOf<typeof umtOptions>, TeacherOptions {}

/** State of {@link umt}: the teachers' weights once they are there. */
export interface UmtState {
  readonly [key: string]: TeacherWeights | null;
  readonly teachers: TeacherWeights | null;
}

/**
 * Unimodal teachers: each encoder is drawn to the features that it learns when it trains alone.
 *
 * Before the first epoch a teacher trains for each modality, encoder and own head by the modality's own objective, from the
 * weights that the network starts from. With t_k the teacher's features and z_k the encoder's, as vectors of length d_k, the joint
 * loss becomes `CE + λ Σ_k mean_i ‖z_ik − t_ik‖²/d_k`. Teachers stay as they are, and run in inference mode.
 *
 * Its signal `distance` is the sum. The modalities' own objectives stay as they are; the paper has none.
 *
 * @param teachers - weights of teachers that were trained before, as {@link UmtState} has them; then none are trained
 * @throws MultigradError `invalid-option`
 *
 * @example
 * ```ts
 * import { umt } from '@multigrad/balancing';
 *
 * console.log(umt({ weight: 5, teacherEpochs: 3 }).needs); // { data: 'batches' }
 * ```
 *
 * @see Du et al., "On Uni-Modal Feature Learning in Supervised Multi-Modal Learning", ICML 2023
 * (https://arxiv.org/abs/2305.01233), section 4
 */
export function umt(
  options: UmtOptions = {},
  teachers: TeacherWeights | null = null,
): BalancingMethod<UmtState> {
  const { weight, ...training } = resolveOptions('umt', specs, options);
  const { needs, tensors, teachersOf } = teaching(teachers, training);
  return {
    specification: 1,
    name: 'umt',
    needs,
    unsupported: whyNoTeachers,
    init: () => ({ teachers }),
    tensors,
    beforeEpoch: async (start, state) => ({ teachers: await teachersOf(start, state) }),
    objectives: (pass) => {
      const { network } = pass;
      const joint = jointOf(network);
      const objectives = pass.objectives();
      const taught = teacherOutputs(pass);
      if (taught === null) return { objectives };
      const vectors = pass.vectors();
      const distances = network.modalities.map((modality) =>
        tf.mean(tf.squaredDifference(entry(vectors, modality), entry(taught, modality).vector)),
      );
      const distance = tf.addN(distances) as tf.Scalar;
      const own = entry(objectives, joint);
      const loss = tf.add(own.loss, tf.mul(distance, weight));
      return { objectives: { ...objectives, [joint]: { ...own, loss } }, signals: { distance } };
    },
  };
}

const specs = { ...umtOptions, ...teacherOptions };

/** The plugin of {@link umt}. */
export const plugin: BalancingPlugin<UmtOptions> = defineBalancing({
  specification: 1,
  name: 'umt',
  title: 'UMT',
  summary: 'Draws each encoder to the features that it learns when it trains alone.',
  paper: {
    title: 'On Uni-Modal Feature Learning in Supervised Multi-Modal Learning',
    authors: [
      'Chenzhuang Du',
      'Jiaye Teng',
      'Tingle Li',
      'Yichen Liu',
      'Tianyuan Yuan',
      'Yue Wang',
      'Yang Yuan',
      'Hang Zhao',
    ],
    venue: 'ICML',
    year: 2023,
    url: 'https://arxiv.org/abs/2305.01233',
  },
  formula: 'L = CE + λ Σ_k mean_i ‖z_ik − t_ik‖²/d_k, t_k the features of a teacher of modality k',
  use: 'When encoders learn less together than each does alone, and twice the training time is there.',
  serves: 'two or more modalities; any fusion; no exchange between encoders',
  deviations: [
    'Teachers train for `teacherEpochs` epochs with Adam, not until they converge; own ones can be handed to `umt`.',
    'The default weight is 1. That of the BalanceBenchmark collection, 10, makes training diverge at usual learning rates where no normalisation bounds the features.',
  ],
  options: specs,
  create: umt,
});
