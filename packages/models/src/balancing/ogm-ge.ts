import {
  MultigradError,
  type OptionsOf,
  randomState,
  resolveOptions,
  resumeRandom,
  own,
} from '@multigrad/core/strategy';
import * as tf from '@tensorflow/tfjs-core';
import { missingLabel, oneHotOf } from '../losses/labels.ts';
import type { MeasuredObjective, MultimodalNetwork } from '../networks/multimodal-network.ts';
import type { ForwardMode } from '../networks/parts.ts';

/** Descriptions of the options of {@link ogmGe}. */
const ogmGeOptions = {
  /** How strongly a leading modality is slowed, >= 0. @defaultValue 0.5 */
  alpha: {
    kind: 'number',
    default: 0.5,
    minimum: 0,
    description: 'How strongly a leading modality is slowed, >= 0.',
  },
  /** Whether noise of the gradient's own deviation is added, tensor by tensor ("GE"). @defaultValue true */
  noise: {
    kind: 'boolean',
    default: true,
    description: "Whether noise of the gradient's own deviation is added, tensor by tensor.",
  },
  /** Seed of the noise, an integer >= 0. @defaultValue 0 */
  seed: {
    kind: 'number',
    default: 0,
    minimum: 0,
    integer: true,
    description: 'Seed of the noise, an integer >= 0.',
  },
} as const;

/** Options of {@link ogmGe}. */
export interface OgmGeOptions extends OptionsOf<typeof ogmGeOptions> {}

/** A network's encoders under on-the-fly gradient modulation. Make one with {@link ogmGe}. */
export interface GradientModulation<Modality extends string, Joint extends string> {
  /**
   * Like {@link MultimodalNetwork.objectives}; in training it stores the modalities' scores for the update.
   */
  readonly objectives: (
    inputs: Readonly<Record<Modality, tf.Tensor>>,
    labels: tf.Tensor1D,
    mode: ForwardMode & { readonly step?: number },
  ) => Record<Joint | Modality, MeasuredObjective>;
  /** An optimizer for a trainer: it modulates the encoders' gradients and hands all to `optimizer`, which stays the caller's. */
  readonly modulate: (optimizer: tf.Optimizer) => (gradients: tf.NamedTensorMap) => Promise<void>;
  /** Scores and factors of the last update, by modality; undefined before the first. */
  readonly last: () => Readonly<Record<Modality, { score: number; factor: number }>> | undefined;
  /** Frees the scores that are stored for an update that has not been made. */
  readonly dispose: () => void;
}

/**
 * On-the-fly gradient modulation with generalisation enhancement: the encoder that does more for the joint prediction is
 * slowed, so that the others catch up.
 *
 * With the joint head's kernel cut by modality, `s_k = Σ_i softmax(W_k z_ik + b/M)_{y_i}` is what modality k alone gives
 * the true classes of a batch, and `ρ_k = s_k / mean_{j≠k} s_j`. Encoder k's gradient is multiplied with
 * `1 − tanh(α ρ_k)` where `ρ_k > 1`, else with 1; then noise from N(0, σ²) is added, σ the deviation of that tensor's
 * gradient.
 *
 * It modulates whatever gradients a strategy yields; the paper's setting is the joint objective alone.
 *
 * @remarks
 * For two modalities ρ is the paper's; for more it compares with the mean of the others. The authors' code modulates
 * convolution kernels only, and in the first epochs; here it is every weight of an encoder, always, as in the paper's
 * equations.
 *
 * @param network - a network whose fusion is concatenation, so that its joint head can be cut by modality
 * @throws MultigradError `invalid-option`, `unsupported` for another fusion
 *
 * @example
 * ```ts
 * import { multilayerPerceptron, multimodalNetwork, ogmGe } from '@multigrad/models';
 * import { MultiObjectiveTrainer } from '@multigrad/core';
 * import { sum } from '@multigrad/strategy-sum';
 * import '@tensorflow/tfjs-backend-cpu';
 * import * as tf from '@tensorflow/tfjs-core';
 *
 * const size = { shape: [3], hidden: [4], features: 4 };
 * const encoders = {
 *   a: multilayerPerceptron({ name: 'a', ...size }),
 *   b: multilayerPerceptron({ name: 'b', ...size }),
 * };
 * const network = multimodalNetwork({ encoders, classes: 2 });
 * const modulation = ogmGe(network, { alpha: 0.3, seed: 1 });
 * const trainer = new MultiObjectiveTrainer({
 *   objectives: (batch: { a: tf.Tensor; b: tf.Tensor; label: tf.Tensor1D }, mode) =>
 *     modulation.objectives(batch, batch.label, mode),
 *   variables: network.trainableVariables,
 *   parts: network.parts,
 *   strategy: sum(),
 *   optimizer: modulation.modulate(tf.train.sgd(0.1)),
 * });
 * const batch = { a: tf.ones([2, 3]), b: tf.zeros([2, 3]), label: tf.tensor1d([0, 1], 'int32') };
 * await trainer.trainOnBatch(batch);
 * console.log(modulation.last()); // { a: { score: …, factor: … }, b: { score: …, factor: … } }
 * ```
 *
 * @see Peng, Wei, Deng, Wang and Hu, "Balanced Multimodal Learning via On-the-fly Gradient Modulation", CVPR 2022
 * (https://arxiv.org/abs/2203.15332), equations 6 to 11
 */
export function ogmGe<Modality extends string, Joint extends string>(
  network: MultimodalNetwork<Modality, Joint>,
  options: OgmGeOptions = {},
): GradientModulation<Modality, Joint> {
  const { alpha, noise, seed } = resolveOptions('ogmGe', ogmGeOptions, options);
  const slices = headSlices(network);
  const { modalities, parts } = network;
  const partOf = new Map(
    modalities.flatMap((modality) => parts[modality].map(({ name }) => [name, modality] as const)),
  );
  // Names that are the same in every network of the same make: noise does not depend on other networks in the process.
  const ownNames = new Map(Array.from(network.namedVariables, ([own, { name }]) => [name, own]));
  let noted: { readonly scores: tf.Tensor1D; readonly step: number } | null = null;
  let steps = 0;
  let last: Record<Modality, { score: number; factor: number }> | undefined;
  const dispose = (): void => {
    noted?.scores.dispose();
    noted = null;
  };
  return {
    objectives: (inputs, labels, mode) => {
      if (!mode.training) return network.objectives(inputs, labels, mode);
      return tf.tidy(() => {
        const features = network.features(inputs, mode);
        const measured = network.objectivesFromFeatures(features, labels, mode);
        dispose();
        const scores = tf.keep(scoresOf(network, slices, features, labels));
        noted = { scores, step: mode.step ?? steps };
        steps += 1;
        return measured;
      });
    },
    modulate: (optimizer) => async (gradients) => {
      if (noted === null) {
        throw new MultigradError(
          'invalid-argument',
          'An update came without a forward pass: the objectives should be computed by the `objectives` of the same `ogmGe`.',
        );
      }
      const { scores, step } = noted;
      noted = null;
      const found = await scores.data();
      scores.dispose();
      const factors = [...found].map((score, k) => factorOf(found, k, score, alpha));
      last = Object.fromEntries(
        modalities.map((modality, k) => [modality, { score: found[k]!, factor: factors[k]! }]),
      ) as Record<Modality, { score: number; factor: number }>;
      const modulated = tf.tidy(() => {
        const changed = Object.entries(gradients).map(([name, gradient]) => {
          const part = partOf.get(name);
          if (part === undefined || (gradient as tf.Tensor | null) === null)
            return [name, gradient];
          const scaled = tf.mul(gradient, factors[modalities.indexOf(part)]!);
          return [
            name,
            noise ? tf.add(scaled, noiseLike(gradient, seed, step, ownNames.get(name)!)) : scaled,
          ];
        });
        return Object.fromEntries(changed) as tf.NamedTensorMap;
      });
      try {
        optimizer.applyGradients(modulated);
      } finally {
        for (const [name, tensor] of Object.entries(modulated)) {
          if (tensor !== own(gradients, name)) tensor.dispose();
        }
      }
    },
    last: () => last,
    dispose,
  };
}

/** Where each modality's features enter the joint head. */
function headSlices<Modality extends string, Joint extends string>(
  network: MultimodalNetwork<Modality, Joint>,
): { readonly kernel: tf.Tensor2D; readonly bias: tf.Tensor1D; readonly from: readonly number[] } {
  const lengths = network.modalities.map(
    (modality) => network.heads[modality].inputs[0]!.shape[1]!,
  );
  const joint = network.heads[network.objectiveNames[0]!];
  const total = lengths.reduce((sum, length) => sum + length, 0);
  const isConcatenation =
    network.fusion.weights.length === 0 && network.fusion.outputs[0]!.shape[1] === total;
  if (!isConcatenation) {
    throw new MultigradError(
      'unsupported',
      '`ogmGe` should be given a network whose fusion is concatenation: only then does the joint head fall apart by ' +
        `modality. Found fusion \`${network.fusion.name}\` from ${lengths.join(' + ')} to ${network.fusion.outputs[0]!.shape[1]} ` +
        `numbers with ${network.fusion.weights.length} weights.`,
    );
  }
  const [kernel, bias] = joint.weights.map((weight) => weight.read()) as [tf.Tensor2D, tf.Tensor1D];
  const from = lengths.map((_, k) => lengths.slice(0, k).reduce((sum, length) => sum + length, 0));
  return { kernel, bias, from };
}

/** The probability that each modality alone gives the true classes of a batch, summed over labelled samples. */
function scoresOf<Modality extends string, Joint extends string>(
  network: MultimodalNetwork<Modality, Joint>,
  { kernel, bias, from }: ReturnType<typeof headSlices>,
  features: Readonly<Record<Modality, tf.Tensor>>,
  labels: tf.Tensor1D,
): tf.Tensor1D {
  const vectors = network.vectors(features);
  const trueClass = oneHotOf(labels, network.classes);
  const present = tf.expandDims(tf.cast(tf.notEqual(labels, missingLabel), 'float32'), 1);
  const scores = network.modalities.map((modality, k) => {
    const z = vectors[modality];
    const own = tf.slice(kernel, [from[k]!, 0], [z.shape[1], -1]);
    const logits = tf.add(tf.matMul(z, own), tf.div(bias, network.modalities.length));
    return tf.sum(tf.mul(tf.mul(tf.softmax(logits), trueClass), present));
  });
  return tf.stack(scores) as tf.Tensor1D;
}

function factorOf(scores: ArrayLike<number>, k: number, score: number, alpha: number): number {
  const others = Array.from(scores).filter((_, j) => j !== k);
  const mean = others.reduce((sum, other) => sum + other, 0) / others.length;
  // Not `score / mean > 1`, which asks too much where the others give nothing.
  return score > mean ? 1 - Math.tanh((alpha * score) / mean) : 1;
}

/** Noise with the deviation of a gradient's own entries; a function of seed, step and name. */
function noiseLike(gradient: tf.Tensor, seed: number, step: number, name: string): tf.Tensor {
  const drawn = resumeRandom(randomState(seed, 'ogm-ge', step, name)).integer(2 ** 31 - 1);
  const { variance } = tf.moments(gradient);
  return tf.mul(tf.randomNormal(gradient.shape, 0, 1, 'float32', 1 + drawn), tf.sqrt(variance));
}
