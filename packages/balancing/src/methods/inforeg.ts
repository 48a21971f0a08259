import { type OptionsOf, own, resolveOptions } from '@multigrad/core/strategy';
import * as tf from '@tensorflow/tfjs-core';
import type { BalancingMethod, PartModulations } from '../contract/method.ts';
import { type BalancingPlugin, defineBalancing } from '../contract/plugin.ts';
import { measuredAlone } from '../support/alone.ts';
import { entry, record } from '../support/by-name.ts';
import { classLabels, crossEntropy } from '../support/class-labels.ts';
import { packed, type PackedTensors, unpacked } from '../support/packed.ts';

const inforegOptions = {
  /** How strongly a lead slows an encoder, >= 0. @defaultValue 0.9 */
  beta: {
    kind: 'number',
    default: 0.9,
    minimum: 0,
    description: 'How strongly a lead slows an encoder, >= 0.',
  },
  /** Relative growth K of an encoder's information above which it is slowed. @defaultValue 0.04 */
  threshold: {
    kind: 'number',
    default: 0.04,
    description: "Relative growth of an encoder's information above which it is slowed.",
  },
} as const;

/** Options of {@link inforeg}. */
export interface InforegOptions extends OptionsOf<typeof inforegOptions> {}

/** Numbers by modality. */
type ByModality = Readonly<Record<string, number>>;

/** State of {@link inforeg}. */
export interface InforegState {
  readonly [key: string]: PackedTensors | readonly ByModality[] | ByModality | number;
  /** The encoders' weights at the beginning of the epoch. */
  readonly start: PackedTensors;
  /** Mean squared gradient norms of the last two epochs, the later one last. */
  readonly traces: readonly ByModality[];
  /** Squared gradient norms of this epoch's steps, added up. */
  readonly sums: ByModality;
  /** Number of steps in them. */
  readonly steps: number;
}

/**
 * Information regulation: in the window in which encoders take in most, the one that leads is held near the weights with which the
 * epoch began.
 *
 * `Tr(F_k)` of an epoch is the mean of `‖g_k‖²` over its steps, g_k the integrated gradient of encoder k. In epoch t encoder k is in
 * its window where `(Tr(F_k^{t−1}) − Tr(F_k^{t−2})) / Tr(F_k^{t−1}) > K`; the first two epochs are in none. The score of a batch is
 * `s_k = mean_i log softmax(o_ik)_{y_i}`, o_k what modality k says alone: `W_k z_k + b/M` where the fusion is concatenation, else
 * the joint logits with the others' features zero. `Δ_k` is the mean of `s_k − s_j` over the modalities j that score less. Where
 * encoder k is in its window and Δ_k > 0, its gradient becomes `g_k + α_k (w_k − w_k^{t−1})`, that of the term
 * `(α_k/2) ‖w_k − w_k^{t−1}‖²`, with `α_k = exp(β tanh(Δ_k))` and w_k^{t−1} the weights at the beginning of the epoch.
 *
 * Its signals are the scores s_k.
 *
 * @throws MultigradError `invalid-option`
 *
 * @example
 * ```ts
 * import { inforeg } from '@multigrad/balancing';
 *
 * console.log(inforeg({ beta: 0.5 }).needs); // { gradientNorms: true }
 * ```
 *
 * @see Huang, Wei, Yang and Hu, "Adaptive Unimodal Regulation for Balanced Multimodal Information Acquisition", CVPR 2025
 * (https://arxiv.org/abs/2503.18595), equations 7 to 16 and algorithm 1
 */
export function inforeg(options: InforegOptions = {}): BalancingMethod<InforegState> {
  const { beta, threshold } = resolveOptions('inforeg', inforegOptions, options);
  return {
    specification: 1,
    name: 'inforeg',
    needs: { gradientNorms: true },
    firstEpoch: 2,
    init: () => ({ start: {}, traces: [], sums: {}, steps: 0 }),
    tensors: ({ start }) => unpacked(start),
    beforeEpoch: async ({ network }, state) => {
      const encoders = new Set(Object.values(network.parts).flat());
      const held = [...network.namedVariables].filter(([, variable]) => encoders.has(variable));
      return { ...state, start: await packed(held), sums: {}, steps: 0 };
    },
    objectives: (pass) => {
      const { network } = pass;
      const labels = classLabels(pass.labels, network.classes);
      const scores = measuredAlone(pass, (logits) => tf.neg(crossEntropy(logits, labels)));
      return {
        objectives: pass.objectives(),
        signals: record(network.modalities, (_, k) => scores[k]!),
      };
    },
    modulate: ({ signals, squaredNorms, tensors }, state) => {
      const modalities = Object.keys(signals);
      const parts: PartModulations = Object.fromEntries(
        modalities.flatMap((modality) => {
          const gap = leadOf(modality, signals);
          if (gap === 0 || !isInWindow(modality, state.traces, threshold)) return [];
          const alpha = Math.exp(beta * Math.tanh(gap));
          const change = (gradient: tf.Tensor, name: string, value: tf.Tensor): tf.Tensor =>
            tf.add(gradient, tf.mul(tf.sub(value, entry(tensors, name)), alpha));
          return [[modality, { change }]];
        }),
      );
      const sums = record(
        modalities,
        (modality) => (own(state.sums, modality) ?? 0) + entry(squaredNorms!, modality),
      );
      return { parts, state: { ...state, sums, steps: state.steps + 1 } };
    },
    afterEpoch: (_, state) => {
      const { sums, steps, traces } = state;
      const trace = record(Object.keys(sums), (modality) => entry(sums, modality) / steps);
      return { ...state, traces: [...traces.slice(-1), trace] };
    },
  };
}

/** The mean lead Δ of a modality over those that score less; 0 where none does. */
function leadOf(modality: string, scores: Readonly<Record<string, number>>): number {
  const score = entry(scores, modality);
  const leads = Object.values(scores).flatMap((other) => (other < score ? [score - other] : []));
  return leads.reduce((sum, lead) => sum + lead, 0) / Math.max(1, leads.length);
}

/** Whether an encoder's information grew fast in the epoch before. */
function isInWindow(modality: string, traces: readonly ByModality[], threshold: number): boolean {
  if (traces.length < 2) return false;
  const [before, last] = traces.map((trace) => entry(trace, modality)) as [number, number];
  return (last - before) / last > threshold;
}

/** The plugin of {@link inforeg}. */
export const plugin: BalancingPlugin<InforegOptions> = defineBalancing({
  specification: 1,
  name: 'inforeg',
  title: 'InfoReg',
  summary:
    'Holds the encoder that leads near the weights with which the epoch began, while it takes in most.',
  paper: {
    title: 'Adaptive Unimodal Regulation for Balanced Multimodal Information Acquisition',
    authors: ['Chengxiang Huang', 'Yake Wei', 'Zequn Yang', 'Di Hu'],
    venue: 'CVPR',
    year: 2025,
    url: 'https://arxiv.org/abs/2503.18595',
  },
  formula:
    'g_k ← g_k + exp(β tanh(Δ_k)) (w_k − w_k^{t−1}) where (Tr F_k^{t−1} − Tr F_k^{t−2}) / Tr F_k^{t−1} > K and Δ_k > 0',
  use: 'In trainings of many epochs, where one modality learns fast early and holds the others back; the first two epochs train as without it.',
  serves: 'two or more modalities; any fusion',
  deviations: [
    "The score is the mean logarithm of the true class' probability: the paper's equation 8 has a minus sign, by which the modality that does worst would be slowed, against its text and its authors' code.",
    'Tr(F) takes the integrated gradient of each batch, as equation 13 does, whatever objectives and strategy there are; the paper has the joint objective alone.',
    "The authors' code has factors of its own for audio and for video, and a window by the audio encoder alone over ten epochs; here all modalities follow the paper's equations.",
  ],
  options: inforegOptions,
  create: inforeg,
});
