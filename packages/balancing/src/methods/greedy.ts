import { type OptionsOf, own, resolveOptions } from '@multigrad/core/strategy';
import * as tf from '@tensorflow/tfjs-core';
import type { BalancingMethod } from '../contract/method.ts';
import type { BalancedNetwork, NetworkGate } from '../contract/network.ts';
import { type BalancingPlugin, defineBalancing } from '../contract/plugin.ts';
import { entry, record } from '../support/by-name.ts';
import { constant } from '../support/constants.ts';
import { meanOfOthers } from '../support/others.ts';

const greedyOptions = {
  /** Lead of a conditional learning speed above which modalities are balanced, >= 0. @defaultValue 0.01 */
  threshold: {
    kind: 'number',
    default: 0.01,
    minimum: 0,
    description: 'Lead of a conditional learning speed above which modalities are balanced, >= 0.',
  },
  /** Steps for which the gates of a modality are held, an integer >= 1. @defaultValue 5 */
  window: {
    kind: 'number',
    default: 5,
    minimum: 1,
    integer: true,
    description: 'Steps for which the gates of a modality are held, an integer >= 1.',
  },
  /** Epochs before the first gate is held, an integer >= 0. @defaultValue 1 */
  warmUp: {
    kind: 'number',
    default: 1,
    minimum: 0,
    integer: true,
    description: 'Epochs before the first gate is held, an integer >= 0.',
  },
} as const;

/** Options of {@link greedy}. */
export interface GreedyOptions extends OptionsOf<typeof greedyOptions> {}

/** How much was learned by a modality, in relative squared gradients of regular steps, added up. */
export type GreedyPace = {
  /** By the variables of its encoder and its head. */
  readonly encoder: number;
  /** By the variables of its gates. */
  readonly gates: number;
};

/** What {@link greedy} remembers. */
export interface GreedyState {
  readonly [key: string]:
    | Readonly<Record<string, GreedyPace>>
    | Readonly<Record<string, readonly number[]>>
    | string
    | number
    | boolean
    | null;
  /** By modality. */
  readonly paces: Readonly<Record<string, GreedyPace>>;
  /** By gate how far its channels were open on average. */
  readonly means: Readonly<Record<string, readonly number[]>>;
  /** Number of steps in the means. */
  readonly steps: number;
  /** Whether the epochs before the first gate is held are over. */
  readonly warm: boolean;
  /** The modality whose gates are held at the next step; null for a regular step. */
  readonly held: string | null;
  /** Steps for which they are held still. */
  readonly left: number;
}

/**
 * Balanced multimodal learning against greed: where a network learns one modality by its gates rather than by its encoder, these
 * gates are held for some steps, so that the encoder learns without help of the others.
 *
 * It needs gates between the encoders, which the exchange `mmtm` puts there. With θ_k the variables of encoder k and its head,
 * θ'_k those of its gates (the squeeze that all gates of a place share belongs to each), g the integrated gradients and
 * `μ(θ) = ‖g(θ)‖² / ‖θ‖²`, the conditional learning speed of the other modalities by k is `s_k = log10(Σ_t μ(θ'_k) / Σ_t μ(θ_k))`,
 * summed over the regular steps so far. After a regular step, from epoch `warmUp` on, the modality with the greatest
 * `d_k = s_k − mean_{j≠k} s_j` is found. Where `d_k` exceeds the threshold, the next `window` steps are re-balancing ones: the
 * gates of modality k have their running mean, the same for every sample, and are not trained. Then a regular step follows.
 *
 * A gate's running mean is over batches, all steps so far, the present one included: `m ← m + (mean_i 2σ(e_i) − m) / t`.
 * Predictions in evaluation have their gates as the network makes them.
 *
 * Its signals are 1 for the modality whose gates are held at a step and 0 for the others, so that logs have the share of such
 * steps.
 *
 * @throws MultigradError `invalid-option`
 *
 * @example
 * ```ts
 * import { balanced, greedy } from '@multigrad/balancing';
 * import { digitEncoder, multimodalNetwork } from '@multigrad/models';
 * import '@tensorflow/tfjs-backend-cpu';
 *
 * const size = { channels: 1, width: 2, features: 4 };
 * const encoders = {
 *   front: digitEncoder({ name: 'front', ...size }),
 *   rear: digitEncoder({ name: 'rear', ...size }),
 * };
 * const network = multimodalNetwork({
 *   encoders,
 *   exchange: { kind: 'mmtm', after: ['conv2', 'conv4'] },
 *   classes: 2,
 * });
 * console.log(network.gates.length); // 4
 * const balance = balanced(greedy({ threshold: 0.1 }), network);
 * balance.dispose();
 * network.dispose();
 * ```
 *
 * @see Wu, Jastrzębski, Cho and Geras, "Characterizing and overcoming the greedy nature of learning in multi-modal deep neural
 * networks", ICML 2022 (https://arxiv.org/abs/2202.05306)
 */
export function greedy(options: GreedyOptions = {}): BalancingMethod<GreedyState> {
  const { threshold, window, warmUp } = resolveOptions('greedy', greedyOptions, options);
  return {
    specification: 1,
    name: 'greedy',
    needs: { gradientNorms: true },
    firstEpoch: warmUp,
    unsupported: whyNotGated,
    gradientLists: variableLists,
    init: ({ modalities }) => ({
      paces: record(modalities, () => ({ encoder: 0, gates: 0 })),
      ...{ means: {}, steps: 0, warm: false, held: null, left: 0 },
    }),
    beforeEpoch: ({ epoch }, state) => ({ ...state, warm: epoch >= warmUp }),
    objectives: (pass, state) => {
      const { network, inputs, mode } = pass;
      const meanOf = (gate: string, values: tf.Tensor2D): tf.Tensor1D =>
        constant(() => runningMean(own(state.means, gate), values, state.steps));
      const heldGates = gatesOf(network, state.held).map(({ name }) => name);
      const { features, gates } = network.gatedFeatures!(inputs, mode, (gate, values) => {
        if (!heldGates.includes(gate)) return values;
        // Variables of a held gate stay within reach, with a gradient of 0: a trainer expects the same ones at every step.
        return tf.add(tf.mul(values, 0), meanOf(gate, values));
      });
      return {
        objectives: pass.objectivesFrom(features),
        signals: record(network.modalities, (modality) => tf.scalar(+(modality === state.held))),
        readings: {
          ...record(Object.keys(gates), (gate) => meanOf(gate, entry(gates, gate))),
          [weightNorms]: constant(() => tf.stack(squaredWeights(network))),
        },
      };
    },
    modulate: ({ squaredNorms, readings }, state) => {
      const { [weightNorms]: weights, ...gates } = readings;
      const means = record(Object.keys(gates), (gate) => [...entry(gates, gate)]);
      const next = { ...state, means, steps: state.steps + 1 };
      if (state.held !== null) {
        const left = state.left - 1;
        return { parts: {}, state: { ...next, left, held: left === 0 ? null : state.held } };
      }
      const gradients = Object.values(squaredNorms!);
      const modalities = Object.keys(state.paces);
      const paces = record(modalities, (modality, k) => {
        const before = entry(state.paces, modality);
        const shared = 2 * modalities.length;
        return {
          encoder: before.encoder + ratio(gradients, weights!, [2 * k]),
          gates: before.gates + ratio(gradients, weights!, [2 * k + 1, shared]),
        };
      });
      const held = state.warm ? leading(paces, threshold) : null;
      return { parts: {}, state: { ...next, paces, held, left: held === null ? 0 : window } };
    },
  };
}

/** The reading that has the squared norms of the weights, in the order of {@link variableLists}. */
const weightNorms = 'squared weights';

/** The gates of a modality; none for null. */
function gatesOf({ gates = [] }: BalancedNetwork, modality: string | null): NetworkGate[] {
  return gates.filter((gate) => gate.modality === modality);
}

/** For each modality its encoder with its head, then what its gates have alone; at last what gates share. */
function variableLists(network: BalancedNetwork): Record<string, tf.Variable[]> {
  const lists = network.modalities.flatMap((modality): [string, tf.Variable[]][] => {
    const head = entry(network.heads, modality).weights.map((weight) => weight.read());
    return [
      [
        `encoder of ${modality}`,
        [
          ...entry(network.parts, modality),
          ...network.trainableVariables.filter((variable) => head.includes(variable)),
        ],
      ],
      [`gates of ${modality}`, gatesOf(network, modality).flatMap((gate) => gate.own)],
    ];
  });
  const shared = new Set((network.gates ?? []).flatMap((gate) => gate.shared));
  return Object.fromEntries([...lists, ['squeezes', [...shared]]]);
}

function squaredWeights(network: BalancedNetwork): tf.Scalar[] {
  return Object.values(variableLists(network)).map((variables) =>
    tf.addN([tf.scalar(0), ...variables.map((one) => tf.sum<tf.Scalar>(tf.square(one)))]),
  );
}

/** The mean of a gate over the batches so far, after one more. */
function runningMean(
  before: readonly number[] | undefined,
  values: tf.Tensor2D,
  steps: number,
): tf.Tensor1D {
  const mean = tf.mean<tf.Tensor1D>(values, 0);
  if (before === undefined) return mean;
  const last = tf.tensor1d([...before]);
  return tf.add(last, tf.div(tf.sub(mean, last), steps + 1));
}

/** Squared gradients of some lists relative to their squared weights; 0 for weights that are all 0. */
function ratio(
  gradients: readonly number[],
  weights: Float64Array,
  places: readonly number[],
): number {
  const total = (numbers: ArrayLike<number>): number =>
    places.reduce((sum, place) => sum + numbers[place]!, 0);
  const size = total(weights);
  return size === 0 ? 0 : total(gradients) / size;
}

/** The modality whose conditional learning speed leads by more than the threshold; null where none does. */
function leading(paces: Readonly<Record<string, GreedyPace>>, threshold: number): string | null {
  const speeds = Object.values(paces).map(({ encoder, gates }) => Math.log10(gates / encoder));
  const leads = speeds.map((speed, k) => {
    const lead = speed - meanOfOthers(speeds, k);
    // Nothing was learned by the gates of this one and of another: the speeds of both are minus infinity.
    return Number.isNaN(lead) ? -Infinity : lead;
  });
  const most = Math.max(...leads);
  return most > threshold ? Object.keys(paces)[leads.indexOf(most)]! : null;
}

/** Why gates cannot be held; null where every modality has some. */
function whyNotGated(network: BalancedNetwork): string | null {
  const { modalities } = network;
  const without = modalities.filter((modality) => gatesOf(network, modality).length === 0);
  if ('gatedFeatures' in network && without.length === 0) return null;
  return (
    'it holds the gates between encoders, which needs a network with gates, such as one with the exchange `mmtm`. ' +
    `Found no gate on ${without.length === 0 ? 'any encoder' : without.join(', ')}`
  );
}

/** The plugin of {@link greedy}. */
export const plugin: BalancingPlugin<GreedyOptions> = defineBalancing({
  specification: 1,
  name: 'greedy',
  title: 'Greedy',
  summary:
    'Holds the gates of the modality that is learned by its gates rather than by its encoder, for some steps at a time.',
  paper: {
    title:
      'Characterizing and overcoming the greedy nature of learning in multi-modal deep neural networks',
    authors: ['Nan Wu', 'Stanisław Jastrzębski', 'Kyunghyun Cho', 'Krzysztof J. Geras'],
    venue: 'ICML',
    year: 2022,
    url: 'https://arxiv.org/abs/2202.05306',
  },
  formula:
    's_k = log10(Σ_t μ(gates_k) / Σ_t μ(encoder_k)), μ(θ) = ‖g(θ)‖²/‖θ‖²; where s_k − mean_{j≠k} s_j > threshold, 2σ(e_k) ← its running mean for some steps',
  use: 'When encoders exchange what they see by MMTM, and the network leans on one modality.',
  serves: 'two or more modalities; any fusion; MMTM as the exchange between encoders',
  deviations: [
    "The equations come from the authors' code and were not compared with the paper's text.",
    'The paper trains a head on each modality and predicts by their mean; here objectives, fusion and strategy are those of the training, and gradients count as the strategy integrates them. Fusion and joint head belong to no modality.',
    'For more than two modalities the one that leads the mean of the others most is balanced.',
    "A gate's running mean is its own, of training steps; that code takes the first modality's gates for both, and goes on with the mean in evaluation.",
    'Evaluation has all gates as the network makes them; in that code they stay held where an epoch ends within the window.',
    'Where several processes train together, each has the running means of its own samples.',
  ],
  options: greedyOptions,
  create: greedy,
});
