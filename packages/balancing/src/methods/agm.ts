import { type OptionsOf, resolveOptions } from '@multigrad/core/strategy';
import { shapleyFunctional } from '@multigrad/core/support';
import * as tf from '@tensorflow/tfjs-core';
import type { BalancingMethod } from '../contract/method.ts';
import { type BalancingPlugin, defineBalancing } from '../contract/plugin.ts';
import type { Pass } from '../contract/pass.ts';
import { jointOf } from '../support/alone.ts';
import { entry, record } from '../support/by-name.ts';
import { classLabels } from '../support/class-labels.ts';
import { constants } from '../support/constants.ts';
import { subsetsOf } from '../support/subsets.ts';

const agmOptions = {
  /** How strongly encoders are modulated, >= 0. @defaultValue 1 */
  alpha: {
    kind: 'number',
    default: 1,
    minimum: 0,
    description: 'How strongly encoders are modulated, >= 0.',
  },
  /** The largest τ − r that counts, so that no factor overflows, > 0. @defaultValue 10 */
  limit: {
    kind: 'number',
    default: 10,
    exclusiveMinimum: 0,
    maximum: 100,
    description:
      'The largest difference of ratios that counts, so that no factor overflows, above 0, at most 100.',
  },
} as const;

/** Options of {@link agm}. */
export interface AgmOptions extends OptionsOf<typeof agmOptions> {}

/** What {@link agm} remembers. */
export type AgmState = {
  /** Steps so far. */
  readonly steps: number;
  /** By modality the mean of its cross-entropies over these steps. */
  readonly means: Readonly<Record<string, number>>;
};

// Probabilities below it count as it, as in the authors' code: a cross-entropy stays finite.
const leastProbability = 1e-8;
/** The most modalities: their masks are forward passes. */
const mostModalities = 6;

/**
 * Adaptive gradient modulation: an encoder is slowed where its modality does better beside the others than it has on
 * average so far, and hastened where it does worse.
 *
 * A modality's own response is the Shapley value of the joint logits over masks, where a masked modality's input is zero and
 * all masked give 0: `φ_m = Σ_S |S|! (M−|S|−1)!/M! (Φ(S ∪ m) − Φ(S))`. Its cross-entropy in a batch is `s_m`, and
 * `r_m = exp(mean_{j≠m} s_j − s_m)`. With running means `ŝ_m` of the steps before, `τ_m = exp(mean_{j≠m} ŝ_j − ŝ_m)`. Encoder m's
 * gradient is multiplied with `κ_m = exp(α (τ_m − r_m))`. The cross-entropies s_m are its signals.
 *
 * A step costs 2^M − 2 more forward passes for M modalities, without backward passes.
 *
 * @throws MultigradError `invalid-option`
 *
 * @example
 * ```ts
 * import { agm } from '@multigrad/balancing';
 *
 * const method = agm({ alpha: 0.5 });
 * const state = method.init({ modalities: ['a', 'b'], objectives: ['joint', 'a', 'b'], classes: 2 });
 * const step = { step: 0, losses: {}, readings: {}, tensors: {}, signals: { a: 0.2, b: 0.9 } };
 * const { parts } = method.modulate!(step, state);
 * console.log(parts['a']!.gradient! < 1, parts['b']!.gradient! > 1); // true true: a is ahead
 * ```
 *
 * @see Li, Li, Hu, Lei, Li and Zhou, "Boosting Multi-modal Model Performance with Adaptive Gradient Modulation", ICCV 2023
 * (https://arxiv.org/abs/2308.07686)
 */
export function agm(options: AgmOptions = {}): BalancingMethod<AgmState> {
  const { alpha, limit } = resolveOptions('agm', agmOptions, options);
  return {
    specification: 1,
    name: 'agm',
    needs: {},
    unsupported: ({ modalities }) =>
      modalities.length <= mostModalities
        ? null
        : `it masks every subset of the modalities, of which there may be ${mostModalities}. Found ${modalities.length}`,
    init: ({ modalities }) => ({ steps: 0, means: record(modalities, () => 0) }),
    objectives: (pass) => ({ objectives: pass.objectives(), signals: crossEntropiesOf(pass) }),
    modulate: ({ signals }, { steps, means }) => {
      const modalities = Object.keys(means);
      const [now, tau] = [ratios(signals, modalities), ratios(means, modalities)];
      const factors = record(modalities, (_, m) => ({
        gradient: Math.exp(alpha * Math.min(tau[m]! - now[m]!, limit)),
      }));
      const count = steps + 1;
      const next = record(
        modalities,
        (name) => (entry(means, name) * steps) / count + entry(signals, name) / count,
      );
      return { parts: factors, state: { steps: count, means: next } };
    },
  };
}

/** The plugin of {@link agm}. */
export const plugin: BalancingPlugin<AgmOptions> = defineBalancing({
  specification: 1,
  name: 'agm',
  title: 'AGM',
  summary:
    'Slows an encoder whose modality does better beside the others than on average so far, and hastens one that does worse.',
  paper: {
    title: 'Boosting Multi-modal Model Performance with Adaptive Gradient Modulation',
    authors: ['Hong Li', 'Xingyu Li', 'Pengbo Hu', 'Yinuo Lei', 'Chunxiao Li', 'Yi Zhou'],
    venue: 'ICCV',
    year: 2023,
    url: 'https://arxiv.org/abs/2308.07686',
  },
  formula:
    'g_m ← exp(α (τ_m − r_m)) g_m; r_m = exp(mean_{j≠m} s_j − s_m), s_m the cross-entropy of the Shapley value φ_m of the joint logits; τ_m the same with running means',
  use: 'When the fusion is not a concatenation: it judges modalities by masks, whatever the fusion.',
  serves: `any fusion, two to ${mostModalities} modalities`,
  deviations: [
    "The equations are those of the authors' code; the paper's text was not compared with them.",
    'That code scales gradients where the Shapley values enter the loss; here it is the gradient of a modality’s encoder.',
    'Masked passes run in inference mode, as in that code, and change no moving statistics; the pass of all modalities is that of the step. Where encoders give the same features for every input in inference mode, as very narrow ones may until moving statistics have followed, all modalities have the same Shapley value, and no gradient changes.',
    'τ − r counts up to a limit, since running means of unlike modalities let its exponential overflow.',
  ],
  options: agmOptions,
  create: agm,
});

/** exp(mean_{j≠m} s_j − s_m) of each modality m. */
function ratios(scores: Readonly<Record<string, number>>, modalities: readonly string[]): number[] {
  const all = modalities.map((name) => entry(scores, name));
  const total = all.reduce((sum, score) => sum + score, 0);
  return all.map((score) => Math.exp((total - score) / (all.length - 1) - score));
}

/** The mean cross-entropy of each modality's Shapley value of the joint logits, constants. */
function crossEntropiesOf(pass: Pass): Record<string, tf.Scalar> {
  const { network } = pass;
  const { modalities } = network;
  const joint = jointOf(network);
  const whole = entry(pass.logits(), joint);
  const found = constants(() => {
    const labels = classLabels(pass.labels, network.classes);
    const logits = subsetsOf(modalities).map((present) => {
      if (present.length === 0) return tf.zerosLike(whole);
      if (present.length === modalities.length) return whole;
      return jointWithout(
        pass,
        modalities.filter((name) => !present.includes(name)),
      );
    });
    return modalities.map((_, m) => {
      const { weights, divisor } = shapleyFunctional(modalities.length, m);
      const terms = logits.flatMap((one, s) =>
        weights[s] === 0 ? [] : [tf.mul(one, weights[s]! / divisor)],
      );
      const probabilities = tf.softmax(tf.addN(terms) as tf.Tensor2D);
      const ofTrue = tf.sum(tf.mul(probabilities, labels.target), 1, true);
      const losses = tf.neg(tf.log(tf.maximum(ofTrue, leastProbability)));
      return tf.div<tf.Scalar>(tf.sum(tf.mul(losses, labels.present)), labels.count);
    });
  });
  return record(modalities, (_, m) => found[m]!);
}

/** The joint logits in inference mode where the inputs of some modalities are zero. */
function jointWithout({ network, inputs, mode }: Pass, missing: readonly string[]): tf.Tensor2D {
  const quiet = { ...mode, training: false };
  const masked = record(network.modalities, (modality) => {
    const input = entry(inputs, modality);
    return missing.includes(modality) ? tf.zerosLike(input) : input;
  });
  return entry(network.logits(network.features(masked, quiet), quiet), jointOf(network));
}
