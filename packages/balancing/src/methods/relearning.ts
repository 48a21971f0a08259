import { MultigradError, type OptionsOf, resolveOptions } from '@multigrad/core/strategy';
import * as tf from '@tensorflow/tfjs-core';
import type { LabelledBatch } from '../contract/data.ts';
import type { BalancingMethod, EpochEnd } from '../contract/method.ts';
import type { BalancedNetwork } from '../contract/network.ts';
import { type BalancingPlugin, defineBalancing } from '../contract/plugin.ts';
import { entry, record } from '../support/by-name.ts';
import { clusterPurity } from '../support/cluster-purity.ts';

const relearningOptions = {
  /** How strongly a gap of purities resets an encoder, λ >= 0. @defaultValue 3 */
  lambda: {
    kind: 'number',
    default: 3,
    minimum: 0,
    description: 'How strongly a gap of purities resets an encoder, >= 0.',
  },
  /** Epochs between two resets, an integer >= 1. @defaultValue 20 */
  every: {
    kind: 'number',
    default: 20,
    minimum: 1,
    integer: true,
    description: 'Epochs between two resets, an integer >= 1.',
  },
  /** Number of resets in a training, an integer >= 0. @defaultValue 3 */
  times: {
    kind: 'number',
    default: 3,
    minimum: 0,
    integer: true,
    description: 'Number of resets in a training, an integer >= 0.',
  },
} as const;

/** Options of {@link relearning}. */
export interface RelearningOptions extends OptionsOf<typeof relearningOptions> {}

/** What a diagnosis found of a modality. */
export type Diagnosis = {
  /** Purity of the clusters of its training features, 0 to 1. */
  readonly training: number;
  /** Purity of the clusters of its validation features, 0 to 1. */
  readonly validation: number;
  /** The share of its initial weights that the encoder went back to, 0 to 1. */
  readonly reset: number;
};

/** The state of {@link relearning}: the diagnoses of each reset, by modality. */
export type RelearningState = {
  readonly diagnoses: readonly Readonly<Record<string, Diagnosis>>[];
};

/**
 * Diagnosing and re-learning: encoders that separate the classes of their training samples better than those of validation
 * samples are set back towards their initial weights, and learn anew.
 *
 * After the epochs `every`, `2 every`, … (counted from 0) each encoder's features are scaled to [−1, 1] column by column and
 * clustered by k-means into as many clusters as there are classes. P is the share of samples whose label is the most frequent
 * one in their cluster. With `t = tanh(λ |P_training − P_validation|)`, the encoder's weights become `(1 − t) θ + t θ_0`, θ_0
 * those that it had before training.
 *
 * It leaves steps alone: any fusion, strategy and optimizer.
 *
 * @throws MultigradError `invalid-option`
 *
 * @example
 * ```ts
 * import { balanced, relearning } from '@multigrad/balancing';
 * import { multilayerPerceptron, multimodalNetwork } from '@multigrad/models';
 * import '@tensorflow/tfjs-backend-cpu';
 *
 * const size = { shape: [3], hidden: [4], features: 4 };
 * const encoders = {
 *   a: multilayerPerceptron({ name: 'a', ...size }),
 *   b: multilayerPerceptron({ name: 'b', ...size }),
 * };
 * const network = multimodalNetwork({ encoders, classes: 2 });
 * try {
 *   balanced(relearning({ every: 5 }), network);
 * } catch (error) {
 *   console.log(String(error)); // … it reads training data outside of steps …
 * }
 * ```
 *
 * @see Wei, Li, Feng and Hu, "Diagnosing and Re-learning for Balanced Multimodal Learning", ECCV 2024
 * (https://arxiv.org/abs/2407.09705)
 */
export function relearning(options: RelearningOptions = {}): BalancingMethod<RelearningState> {
  const { lambda, every, times } = resolveOptions('relearning', relearningOptions, options);
  return {
    specification: 1,
    name: 'relearning',
    needs: { data: 'batches', validation: 'batches', initialWeights: true },
    firstEpoch: times === 0 ? Infinity : every,
    init: () => ({ diagnoses: [] }),
    afterEpoch: async (end, state) => {
      const due = end.epoch > 0 && end.epoch % every === 0 && state.diagnoses.length < times;
      if (!due) return state;
      const diagnosis = await diagnose(end, lambda);
      setBack(end, diagnosis);
      return { diagnoses: [...state.diagnoses, diagnosis] };
    },
  };
}

/** The plugin of {@link relearning}. */
export const plugin: BalancingPlugin<RelearningOptions> = defineBalancing({
  specification: 1,
  name: 'relearning',
  title: 'Diagnosing and Re-learning',
  summary:
    'Sets encoders back towards their initial weights by how much better they separate training than validation samples.',
  paper: {
    title: 'Diagnosing and Re-learning for Balanced Multimodal Learning',
    authors: ['Yake Wei', 'Siwei Li', 'Ruoxuan Feng', 'Di Hu'],
    venue: 'ECCV',
    year: 2024,
    url: 'https://arxiv.org/abs/2407.09705',
  },
  formula:
    'θ_m ← (1 − t) θ_m + t θ_m⁰, t = tanh(λ |P_m(training) − P_m(validation)|), P the purity of k-means clusters of features',
  use: 'In long trainings where a modality starts to learn its training samples by heart.',
  serves: 'two or more modalities; any fusion',
  deviations: [
    "k-means starts from the first sample and from points as far apart as possible, so that it needs no seed; the authors' code starts from k-means++.",
    'Moving statistics of normalisation stay as they are, as in that code.',
  ],
  options: relearningOptions,
  create: relearning,
});

/** The diagnosis of each modality. */
async function diagnose(
  { network, data, validation }: EpochEnd,
  lambda: number,
): Promise<Record<string, Diagnosis>> {
  const [training, validating] = [
    await purities(network, data!.batches(), 'training'),
    await purities(network, validation!, 'validation'),
  ];
  return record(network.modalities, (modality) => {
    const pair = { training: entry(training, modality), validation: entry(validating, modality) };
    const reset = Math.tanh(lambda * Math.abs(pair.training - pair.validation));
    return { ...pair, reset };
  });
}

/**
 * The purity of each modality's clusters over labelled samples.
 *
 * @throws MultigradError `invalid-data` for data without a labelled sample
 */
async function purities(
  network: BalancedNetwork,
  batches: AsyncIterable<LabelledBatch>,
  what: string,
): Promise<Record<string, number>> {
  const { modalities, classes } = network;
  const points = new Map<string, Float32Array[]>(modalities.map((modality) => [modality, []]));
  const known: number[] = [];
  for await (const { inputs, labels } of batches) {
    const vectors = tf.tidy(() => network.vectors(network.features(inputs, { training: false })));
    try {
      const found = await labels.data<'int32'>();
      for (const modality of modalities) {
        const vector = entry(vectors, modality);
        const [numbers, length] = [await vector.data<'float32'>(), vector.shape[1]];
        found.forEach((label, i) => {
          if (label >= 0) points.get(modality)!.push(numbers.slice(i * length, (i + 1) * length));
        });
      }
      known.push(...found.filter((label) => label >= 0));
    } finally {
      tf.dispose(vectors);
    }
  }
  if (known.length === 0) {
    throw new MultigradError(
      'invalid-data',
      `\`relearning\` clusters labelled samples. Found none in the ${what} data.`,
    );
  }
  return record(modalities, (modality) => clusterPurity(points.get(modality)!, known, classes));
}

/** Moves each encoder's weights towards those that it had before training. */
function setBack(
  { network, initialWeights }: EpochEnd,
  diagnosis: Readonly<Record<string, Diagnosis>>,
): void {
  const names = new Map(Array.from(network.namedVariables, ([name, one]) => [one, name]));
  tf.tidy(() => {
    for (const [modality, { reset }] of Object.entries(diagnosis)) {
      for (const variable of entry(network.parts, modality)) {
        const initial = initialWeights!.get(names.get(variable)!)!;
        variable.assign(tf.add(tf.mul(variable, 1 - reset), tf.mul(initial, reset)));
      }
    }
  });
}
