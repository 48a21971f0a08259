import { type OptionsOf, resolveOptions } from '@multigrad/core/strategy';
import * as tf from '@tensorflow/tfjs-core';
import type { BalancingMethod } from '../contract/method.ts';
import type { BalancedNetwork, MeasuredObjective } from '../contract/network.ts';
import { type BalancingPlugin, defineBalancing } from '../contract/plugin.ts';
import { jointOf } from '../support/alone.ts';
import { alsoReaching } from '../support/also-reaching.ts';
import { entry, record } from '../support/by-name.ts';
import { constant } from '../support/constants.ts';

const mlaOptions = {
  /** What keeps the projection away from 0 at the beginning of an epoch, α > 0. @defaultValue 0.1 */
  alpha: {
    kind: 'number',
    default: 0.1,
    exclusiveMinimum: 0,
    description: 'What keeps the projection away from 0 at the beginning of an epoch, > 0.',
  },
  /** Steps in an epoch, over which α falls to a tenth; 0 for an α that stays. @defaultValue 0 */
  stepsPerEpoch: {
    kind: 'number',
    default: 0,
    minimum: 0,
    integer: true,
    description: 'Steps in an epoch, over which alpha falls to a tenth; 0 for one that stays.',
  },
  /** What the projection is divided by: one number, or a number for each element. @defaultValue 'scalar' */
  division: {
    kind: 'choice',
    choices: ['scalar', 'elements'],
    default: 'scalar',
    description:
      'What the change of the projection is divided by: one number, as recursive least squares has it, or a number for each element.',
  },
} as const;

/** Options of {@link mla}. */
export interface MlaOptions extends OptionsOf<typeof mlaOptions> {}

/** The state of {@link mla}. */
export type MlaState = {
  /** The joint objective first, then the modalities. */
  readonly objectives: readonly string[];
  /** Number of steps made. */
  readonly steps: number;
  /** The projection P of the shared head's gradient, row by row; null before the second step, for the identity. */
  readonly projection: readonly number[] | null;
};

/**
 * MLA, multimodal learning with alternating unimodal adaptation: each step trains one encoder through a head that all
 * modalities share, whose gradient is projected so that it keeps what it learned from the others.
 *
 * Step t trains modality `m = t mod M` with `CE(W z_m + b)`, W and b the joint head. From the second step on, with r the
 * batch's mean of `z_m` and `k = P r`, `P ← P − k kᵀ / (α + rᵀ k)`, then `P ← P / ‖P‖_F`, and the gradient of W becomes
 * `P ∂L/∂W`; P is the identity at first. The option `stepsPerEpoch` S makes α fall within an epoch, as
 * `α 0.1^((t mod S)/S)`.
 *
 * The joint prediction, in training and in evaluation, is `Σ_m λ_m (W z_m + b)` with `λ = softmax(−H)` for each sample, H_m
 * the entropy of `softmax(W z_m + b)`: what is certain counts. A modality's objective is by the shared head too; the
 * unimodal heads are not used, and keep their weights.
 *
 * @throws MultigradError `invalid-option`
 *
 * @example
 * ```ts
 * import { balanced, mla } from '@multigrad/balancing';
 * import { multilayerPerceptron, multimodalNetwork } from '@multigrad/models';
 * import '@tensorflow/tfjs-backend-cpu';
 *
 * const size = { shape: [3], hidden: [4], features: 4 };
 * const encoders = {
 *   a: multilayerPerceptron({ name: 'a', ...size }),
 *   b: multilayerPerceptron({ name: 'b', ...size }),
 * };
 * const network = multimodalNetwork({ encoders, fusion: 'summation', classes: 2 });
 * const balance = balanced(mla(), network);
 * console.log(balance.options.lossWeights); // { multimodal: 0, a: 1, b: 0 }: a is trained first
 * ```
 *
 * @see Zhang, Yoon, Bansal and Yao, "Multimodal Representation Learning by Alternating Unimodal Adaptation", CVPR 2024
 * (https://arxiv.org/abs/2311.10707)
 */
export function mla(options: MlaOptions = {}): BalancingMethod<MlaState> {
  const { alpha, stepsPerEpoch, division } = resolveOptions('mla', mlaOptions, options);
  const turnOf = ({ objectives: [, ...modalities], steps }: MlaState): string =>
    modalities[steps % modalities.length]!;
  return {
    specification: 1,
    name: 'mla',
    needs: { evaluation: true },
    unsupported: whyNotShared,
    init: ({ objectives }) => ({ objectives, steps: 0, projection: null }),
    lossWeights: (state) => record(state.objectives, (name) => +(name === turnOf(state))),
    objectives: (pass, state) => {
      const { network, labels, mode } = pass;
      const [kernel, bias] = sharedHead(network);
      const logits = record(network.modalities, (modality) =>
        tf.add<tf.Tensor2D>(tf.matMul(entry(pass.vectors(), modality), kernel), bias),
      );
      const joint = jointOf(network);
      const fused = fusedByEntropy(Object.values(logits));
      const objectives = network.objectivesFromLogits({ ...logits, [joint]: fused }, labels);
      const { loss, ...measured } = entry(objectives, joint);
      const unused = network.modalities.map((modality) => entry(pass.logits(), modality));
      const reaching: Record<string, MeasuredObjective> = {
        ...objectives,
        [joint]: { ...measured, loss: alsoReaching(loss, unused) },
      };
      if (!mode.training) return { objectives: reaching };
      const mean = constant(() => tf.mean<tf.Tensor1D>(entry(pass.vectors(), turnOf(state)), 0));
      return { objectives: reaching, readings: { mean } };
    },
    modulate: ({ step, readings }, state) => {
      const [joint, ...modalities] = state.objectives;
      const turn = turnOf(state);
      const resting = [
        ...modalities.filter((modality) => modality !== turn),
        ...modalities.map((modality) => `head/${modality}`),
        'fusion',
      ];
      const parts = record(resting, () => null);
      const next = { ...state, steps: state.steps + 1 };
      if (state.steps === 0) return { parts, state: next };
      const passed = stepsPerEpoch === 0 ? 0 : (step % stepsPerEpoch) / stepsPerEpoch;
      const mean = entry(readings, 'mean');
      const projection = projected(state.projection, mean, alpha * 0.1 ** passed, division);
      const length = mean.length;
      const change = (gradient: tf.Tensor): tf.Tensor =>
        gradient.rank === 2
          ? tf.matMul(tf.tensor2d(projection, [length, length]), gradient)
          : gradient;
      return {
        parts: { ...parts, [`head/${joint!}`]: { change } },
        state: { ...next, projection },
      };
    },
  };
}

/** The plugin of {@link mla}. */
export const plugin: BalancingPlugin<MlaOptions> = defineBalancing({
  specification: 1,
  name: 'mla',
  title: 'MLA',
  summary:
    'Trains one encoder in each step through a shared head, and weighs modalities by their certainty in predictions.',
  paper: {
    title: 'Multimodal Representation Learning by Alternating Unimodal Adaptation',
    authors: ['Xiaohui Zhang', 'Jaehong Yoon', 'Mohit Bansal', 'Huaxiu Yao'],
    venue: 'CVPR',
    year: 2024,
    url: 'https://arxiv.org/abs/2311.10707',
  },
  formula:
    'step t trains m = t mod M: CE(W z_m + b), ∂L/∂W ← P ∂L/∂W, P ← P − k kᵀ / (α + rᵀ k), k = P r, r = mean z_m, then P / ‖P‖; predictions: Σ_m λ_m (W z_m + b), λ = softmax(−H)',
  use: 'When joint training lets one modality lead, and all encoders may share one head.',
  serves: 'two or more modalities with features of one length; summation as the fusion',
  deviations: [
    "A step trains one modality on its batch; the authors' code makes an update for each modality on every batch.",
    "That code divides by the matrix α + k rᵀ, element by element, which is the option `division: 'elements'`; the default is the scalar of recursive least squares.",
    'Entropies are those of each sample; that code takes the softmax over the samples of a batch.',
  ],
  options: mlaOptions,
  create: mla,
});

/** Why modalities cannot share the joint head; null where they can. */
function whyNotShared(network: BalancedNetwork): string | null {
  const { fusion, modalities, heads } = network;
  const lengthOf = (objective: string): number =>
    entry(heads, objective).weights[0]!.read().shape[0];
  const lengths = [jointOf(network), ...modalities].map(lengthOf);
  if (fusion.weights.length === 0 && new Set(lengths).size === 1) return null;
  return (
    'modalities share the joint head, which needs features of one length and summation as the fusion. Found fusion ' +
    `\`${fusion.name}\` from ${modalities.map((m, k) => `${m} ${lengths[k + 1]}`).join(' + ')} to ${lengths[0]} numbers with ${fusion.weights.length} weights`
  );
}

function sharedHead(network: BalancedNetwork): [tf.Tensor2D, tf.Tensor1D] {
  const { weights } = entry(network.heads, jointOf(network));
  return weights.map((one) => one.read()) as [tf.Tensor2D, tf.Tensor1D];
}

/** Logits of the modalities weighed, sample by sample, by the softmax of minus their entropies: n × classes. */
export function fusedByEntropy(logits: readonly tf.Tensor2D[]): tf.Tensor2D {
  const entropies = logits.map((own) => {
    const logs = tf.logSoftmax(own);
    return tf.neg(tf.sum(tf.mul(tf.exp(logs), logs), 1, true));
  });
  const trust = tf.softmax(tf.neg(tf.concat(entropies, 1)));
  const parts = tf.split(trust, logits.length, 1);
  return tf.addN(logits.map((own, m) => tf.mul<tf.Tensor2D>(own, parts[m]!)));
}

/**
 * The next projection, row by row: a step of recursive least squares, then Frobenius norm 1.
 *
 * @param before - d × d; null for the identity
 * @param mean - d numbers
 */
export function projected(
  before: readonly number[] | null,
  mean: Float64Array,
  alpha: number,
  division: 'scalar' | 'elements',
): number[] {
  const d = mean.length;
  const at = (i: number, j: number): number => (before === null ? +(i === j) : before[i * d + j]!);
  const k = Float64Array.from(mean, (_, i) => mean.reduce((sum, r, j) => sum + at(i, j) * r, 0));
  const scalar = alpha + mean.reduce((sum, r, j) => sum + r * k[j]!, 0);
  const next = Array.from({ length: d * d }, (_, place) => {
    const [i, j] = [Math.floor(place / d), place % d];
    const below = division === 'scalar' ? scalar : alpha + k[i]! * mean[j]!;
    return at(i, j) - (k[i]! * k[j]!) / below;
  });
  // Not `Math.hypot(...)`: a call takes no quarter of a million arguments.
  const norm = Math.sqrt(next.reduce((sum, value) => sum + value * value, 0));
  return next.map((value) => value / norm);
}
