import {
  type OptionsOf,
  randomState,
  resolveOptions,
  resumeRandom,
} from '@multigrad/core/strategy';
import * as tf from '@tensorflow/tfjs-core';
import type { BalancingMethod } from '../contract/method.ts';
import type { BalancedNetwork, ByModality } from '../contract/network.ts';
import type { Pass } from '../contract/pass.ts';
import { type BalancingPlugin, defineBalancing } from '../contract/plugin.ts';
import { jointOf, measuredAlone } from '../support/alone.ts';
import { entry, record } from '../support/by-name.ts';
import { classLabels, trueClassProbability } from '../support/class-labels.ts';
import { constant } from '../support/constants.ts';

const opmOptions = {
  /** Probability of dropping a modality that leads by next to nothing, 0 to 1. @defaultValue 0.5 */
  qBase: {
    kind: 'number',
    default: 0.5,
    minimum: 0,
    maximum: 1,
    description: 'Probability of dropping a modality that leads by next to nothing, 0 to 1.',
  },
  /** How much the probability grows with the lead, >= 0. @defaultValue 0.5 */
  lambda: {
    kind: 'number',
    default: 0.5,
    minimum: 0,
    description: 'How much the probability grows with the lead, >= 0.',
  },
  /** Share of the steps in which features are dropped at all, 0 to 1. @defaultValue 0.7 */
  executed: {
    kind: 'number',
    default: 0.7,
    minimum: 0,
    maximum: 1,
    description: 'Share of the steps in which features are dropped at all, 0 to 1.',
  },
  /** Seed of what is dropped, an integer >= 0. @defaultValue 0 */
  seed: {
    kind: 'number',
    default: 0,
    minimum: 0,
    integer: true,
    description: 'Seed of what is dropped, an integer >= 0.',
  },
} as const;

/** Options of {@link opm}. */
export interface OpmOptions extends OptionsOf<typeof opmOptions> {}

/**
 * On-the-fly prediction modulation: features of the modality that leads are dropped from the joint prediction, the more often the
 * more it leads.
 *
 * `s_k = mean_i softmax(o_ik)_{y_i}`, o_k what modality k says alone: `W_k z_k + b/M` where the fusion is concatenation, else
 * the joint logits with the other modalities' features zero. `ρ_k = mean_{j≠k} s_k/s_j`; the probability of dropping k is
 * `q_k = min(1, q_base (1 + λ tanh(ρ_k − 1)))` where `ρ_k > 1`, else 0. In a share of the steps, the joint loss is that of
 * `m_ik z_ik / (1 − θ)`, with `m_ik` 0 with probability q_k and else 1 for each sample, and `θ = Σ_k d_k q_k / Σ_k d_k`, d_k the
 * length of z_k. Scores and probabilities count as constants.
 *
 * Its signals are the probabilities q_k. A sample always keeps the modality that does worst. The modalities' own objectives see
 * whole features.
 *
 * @throws MultigradError `invalid-option`
 *
 * @example
 * ```ts
 * import { opm } from '@multigrad/balancing';
 *
 * console.log(opm({ qBase: 0.4, seed: 1 }).name); // opm
 * ```
 *
 * @see Wei, Hu, Du and Wen, "On-the-fly Modulation for Balanced Multimodal Learning", TPAMI 2024
 * (https://arxiv.org/abs/2410.11582), equations 6 to 8
 */
export function opm(options: OpmOptions = {}): BalancingMethod<null> {
  const { qBase, lambda, executed, seed } = resolveOptions('opm', opmOptions, options);
  return {
    specification: 1,
    name: 'opm',
    needs: {},
    init: () => null,
    objectives: (pass) => {
      const { network, mode } = pass;
      const features = pass.features();
      const q = probabilities(pass, qBase, lambda);
      const signals = record(network.modalities, (_, k) => at(q, k));
      const objectives = pass.objectives();
      const samples = pass.labels.shape[0];
      const drawn = draws(network, seed, mode.step ?? 0, samples, mode.share?.firstSample ?? 0);
      if (drawn.share >= executed) return { objectives, signals };
      const rate = rateOf(pass.vectors(), network, q);
      const dropped = record(network.modalities, (modality, k) => {
        const z = entry(features, modality);
        const shape = [samples, ...z.shape.slice(1).map(() => 1)];
        const kept = tf.greaterEqual(tf.tensor1d(drawn.uniform[k]!), at(q, k));
        const factor = tf.div(tf.cast(kept, 'float32'), tf.sub(1, rate));
        return tf.mul(z, tf.reshape(factor, shape));
      });
      const joint = jointOf(network);
      const modulated = entry(pass.objectivesFrom(dropped), joint);
      return { objectives: { ...objectives, [joint]: modulated }, signals };
    },
  };
}

/** The probability of dropping each modality, a constant vector. */
function probabilities(pass: Pass, qBase: number, lambda: number): tf.Tensor1D {
  const { network } = pass;
  const labels = classLabels(pass.labels, network.classes);
  const found = measuredAlone(pass, (logits) => trueClassProbability(logits, labels));
  return constant(() => {
    const scores = tf.stack(found);
    const reciprocals = tf.reciprocal(scores);
    const others = tf.sub(tf.sum(reciprocals), reciprocals);
    const lead = tf.sub(tf.div(tf.mul(scores, others), network.modalities.length - 1), 1);
    const q = tf.mul(tf.add(tf.mul(tf.tanh(lead), lambda), 1), qBase);
    return tf.mul<tf.Tensor1D>(tf.minimum(q, 1), tf.cast(tf.greater(lead, 0), 'float32'));
  });
}

/** The share θ of all features that is dropped in the mean, a constant. */
function rateOf(
  vectors: ByModality<tf.Tensor2D>,
  { modalities }: BalancedNetwork,
  q: tf.Tensor1D,
): tf.Tensor {
  const lengths = modalities.map((modality) => entry(vectors, modality).shape[1]);
  const total = lengths.reduce((sum, length) => sum + length, 0);
  return tf.sum(
    tf.mul(
      q,
      lengths.map((length) => length / total),
    ),
  );
}

/** What is drawn at a step: whether features are dropped, and by modality a number in [0, 1) for each sample. */
function draws(
  { modalities }: BalancedNetwork,
  seed: number,
  step: number,
  samples: number,
  firstSample: number,
): { readonly share: number; readonly uniform: readonly number[][] } {
  const share = resumeRandom(randomState(seed, 'opm', step)).uniform();
  const uniform = modalities.map((modality) => {
    const random = resumeRandom(randomState(seed, 'opm', step, modality));
    for (let i = 0; i < firstSample; i += 1) random.uniform();
    return Array.from({ length: samples }, () => random.uniform());
  });
  return { share, uniform };
}

/** One number of a vector. */
function at(vector: tf.Tensor1D, k: number): tf.Scalar {
  return tf.reshape(tf.slice(vector, k, 1), []);
}

/** The plugin of {@link opm}. */
export const plugin: BalancingPlugin<OpmOptions> = defineBalancing({
  specification: 1,
  name: 'opm',
  title: 'OPM',
  summary: 'Drops features of the modality that leads from the joint prediction.',
  paper: {
    title: 'On-the-fly Modulation for Balanced Multimodal Learning',
    authors: ['Yake Wei', 'Di Hu', 'Henghui Du', 'Ji-Rong Wen'],
    venue: 'TPAMI',
    year: 2024,
    url: 'https://arxiv.org/abs/2410.11582',
  },
  formula:
    'z_k ← m_k z_k / (1 − θ), m_k = 0 with probability q_k = q_base (1 + λ tanh(ρ_k − 1)) where ρ_k > 1, else 0',
  use: 'When the joint head leans on one modality, and others should learn to do without it.',
  serves: 'two or more modalities; any fusion',
  deviations: [
    "The probabilities come from the same batch, as in the authors' code; the paper takes those of the step before.",
    "The authors' code trains six epochs without drops first; here features are dropped from the first step on.",
  ],
  options: opmOptions,
  create: opm,
});
