import { type OptionsOf, resolveOptions } from '@multigrad/core/strategy';
import * as tf from '@tensorflow/tfjs-core';
import type { BalancingMethod } from '../contract/method.ts';
import { type BalancingPlugin, defineBalancing } from '../contract/plugin.ts';
import { jointOf, maskedLogits } from '../support/alone.ts';
import { alsoReaching } from '../support/also-reaching.ts';
import { entry, record } from '../support/by-name.ts';
import { type ClassLabels, classLabels } from '../support/class-labels.ts';

const arlOptions = {
  /** Weight γ of each modality's own loss after the start, >= 0. @defaultValue 4 */
  gamma: {
    kind: 'number',
    default: 4,
    minimum: 0,
    description: "Weight of each modality's own loss after the start, >= 0.",
  },
  /** How sharply the encoders are weighed against each other, >= 0. @defaultValue 8 */
  temperature: {
    kind: 'number',
    default: 8,
    minimum: 0,
    description: 'How sharply the encoders are weighed against each other, >= 0.',
  },
  /** Number of the last epoch before it begins, from 0; until then every weight is 1. @defaultValue 5 */
  start: {
    kind: 'number',
    default: 5,
    minimum: 0,
    integer: true,
    description: 'Number of the last epoch before it begins, from 0; until then every weight is 1.',
  },
} as const;

/** Options of {@link arl}. */
export interface ArlOptions extends OptionsOf<typeof arlOptions> {}

/** The state of {@link arl}. */
export type ArlState = { readonly epoch: number; readonly modalities: readonly string[] };

/** A share of entropy below this counts as this much. */
const leastShare = 0.3;

/**
 * Asymmetric representation learning: the joint prediction should lean on each modality in inverse ratio to the variance of
 * what it says alone, so encoders are trained unequally.
 *
 * `u_m` are the joint logits where the features of the other modality are zero. Of a batch, `c_m = Σ_c mean_i |u_mic|` says
 * how much the prediction leans on m, and the mean entropy `H_m` of `softmax(u_m)` how much it varies, with
 * `a_m ∝ 1 / max(H_m / Σ H, 0.3)`, c and a both of sum 1. For modalities 1 and 2,
 * `w = softmax(T (c_2 a_1, c_1 a_2))`. The gradient of encoder m is multiplied with `1 + w_m`, and the loss is
 * `L + γ Σ_m CE(u_m)`. Up to the epoch `start` there are no factors, and γ is 1. The signals are c and H.
 *
 * A modality's objective is `CE(u_m)`, by the shared fusion and head, in training and in evaluation; its own head is not used
 * and keeps its weights.
 *
 * @throws MultigradError `invalid-option`
 *
 * @example
 * ```ts
 * import { arl, balanced } from '@multigrad/balancing';
 * import { multilayerPerceptron, multimodalNetwork } from '@multigrad/models';
 * import '@tensorflow/tfjs-backend-cpu';
 *
 * const size = { shape: [3], hidden: [4], features: 4 };
 * const encoders = {
 *   a: multilayerPerceptron({ name: 'a', ...size }),
 *   b: multilayerPerceptron({ name: 'b', ...size }),
 * };
 * const network = multimodalNetwork({ encoders, fusion: 'gated', classes: 2 });
 * const balance = balanced(arl({ gamma: 2 }), network);
 * console.log(balance.options.lossWeights); // { a: 1, b: 1 }
 * ```
 *
 * @see Wei, Luo and Luo, "Improving Multimodal Learning via Imbalanced Learning", ICCV 2025
 * (https://arxiv.org/abs/2507.10203)
 */
export function arl(options: ArlOptions = {}): BalancingMethod<ArlState> {
  const { gamma, temperature, start } = resolveOptions('arl', arlOptions, options);
  return {
    specification: 1,
    name: 'arl',
    needs: { evaluation: true },
    unsupported: (network) =>
      network.modalities.length === 2
        ? null
        : `it weighs two modalities against each other, and its paper says nothing of more. Found ${network.modalities.join(', ')}`,
    init: ({ modalities }) => ({ epoch: 0, modalities }),
    lossWeights: ({ epoch, modalities }) => {
      const weight = epoch > start ? gamma : 1;
      return record(modalities, () => weight);
    },
    beforeEpoch: ({ epoch }, state) => ({ ...state, epoch }),
    objectives: (pass) => {
      const { network, labels, mode } = pass;
      const own = pass.logits();
      const alone = record(network.modalities, (modality) => maskedLogits(pass, [modality]));
      const joint = jointOf(network);
      const logits = { ...alone, [joint]: entry(own, joint) };
      const objectives = network.objectivesFromLogits(logits, labels);
      const { loss, ...measured } = entry(objectives, joint);
      const unused = network.modalities.map((modality) => entry(own, modality));
      const reaching = {
        ...objectives,
        [joint]: { ...measured, loss: alsoReaching(loss, unused) },
      };
      if (!mode.training) return { objectives: reaching };
      const truth = classLabels(labels, network.classes);
      const signals = Object.entries(alone).flatMap(([modality, u]) => [
        [`reliance/${modality}`, meanOf(tf.abs(u), truth)] as const,
        [`entropy/${modality}`, meanEntropy(u, truth)] as const,
      ]);
      return { objectives: reaching, signals: Object.fromEntries(signals) };
    },
    modulate: ({ signals }, state) => {
      const { modalities } = state;
      const factors = state.epoch > start ? factorsOf(signals, modalities, temperature) : [1, 1];
      const parts = modalities.flatMap((modality, m) => [
        [modality, { gradient: factors[m]! }] as const,
        [`head/${modality}`, null] as const,
      ]);
      return { parts: Object.fromEntries(parts), state };
    },
  };
}

/** The plugin of {@link arl}. */
export const plugin: BalancingPlugin<ArlOptions> = defineBalancing({
  specification: 1,
  name: 'arl',
  title: 'ARL',
  summary:
    'Trains encoders unequally, so that the prediction leans on each modality in inverse ratio to its variance.',
  paper: {
    title: 'Improving Multimodal Learning via Imbalanced Learning',
    authors: ['Shicai Wei', 'Chunbo Luo', 'Yang Luo'],
    venue: 'ICCV',
    year: 2025,
    url: 'https://arxiv.org/abs/2507.10203',
  },
  formula:
    'L + γ Σ_m CE(u_m); g_m ← (1 + w_m) g_m, w = softmax(T (c_2 a_1, c_1 a_2)), c_m ∝ mean |u_m|, a_m ∝ 1 / max(H_m / Σ H, 0.3)',
  use: 'When one modality is plainly less certain than the other, and should not be trained as much.',
  serves: 'two modalities; any fusion',
  deviations: [
    "The weights w are those that the authors' code computes; the code of their repository then trains with the constant factor 1.5 in their place.",
    "The paper's setting is a strategy that adds up the objectives.",
    'Gradients are not clipped here: the trainer has an option for that.',
  ],
  options: arlOptions,
  create: arl,
});

function meanOf(rows: tf.Tensor, { present, count }: ClassLabels): tf.Scalar {
  return tf.div<tf.Scalar>(tf.sum(tf.mul(rows, present)), count);
}

/** The mean entropy of predictions over the labelled samples, in nats. */
function meanEntropy(logits: tf.Tensor2D, truth: ClassLabels): tf.Scalar {
  const logs = tf.logSoftmax(logits);
  return tf.neg(meanOf(tf.mul(tf.exp(logs), logs), truth));
}

/** `1 + w_m` of the two encoders. */
function factorsOf(
  signals: Readonly<Record<string, number>>,
  modalities: readonly string[],
  temperature: number,
): number[] {
  const reliance = shares(modalities.map((modality) => entry(signals, `reliance/${modality}`)));
  const entropy = shares(modalities.map((modality) => entry(signals, `entropy/${modality}`)));
  const certainty = shares(entropy.map((own) => 1 / Math.max(own, leastShare)));
  const exponents = [reliance[1]! * certainty[0]!, reliance[0]! * certainty[1]!];
  const most = Math.max(...exponents);
  return shares(exponents.map((own) => Math.exp(temperature * (own - most)))).map((w) => 1 + w);
}

/** Numbers divided by their sum; even ones where that is 0. */
function shares(values: readonly number[]): number[] {
  const total = values.reduce((sum, value) => sum + value, 0);
  return values.map((value) => (total > 0 ? value / total : 1 / values.length));
}
