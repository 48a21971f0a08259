import {
  type OptionsOf,
  randomState,
  resolveOptions,
  resumeRandom,
} from '@multigrad/core/strategy';
import * as tf from '@tensorflow/tfjs-core';
import type { Draw, LabelledBatch } from '../contract/data.ts';
import type { BalancingMethod, EpochStart } from '../contract/method.ts';
import type { BalancedNetwork } from '../contract/network.ts';
import { type BalancingPlugin, defineBalancing } from '../contract/plugin.ts';
import { entry, record } from '../support/by-name.ts';
import { presentObjectives } from '../support/present-objectives.ts';

const dataRemixingOptions = {
  /** Epochs on whole samples before it begins, an integer >= 0. @defaultValue 5 */
  warmUp: {
    kind: 'number',
    default: 5,
    minimum: 0,
    integer: true,
    description: 'Epochs on whole samples before it begins, an integer >= 0.',
  },
  /** Weight of each modality's own loss in the warm-up, >= 0. @defaultValue 0.5 */
  alpha: {
    kind: 'number',
    default: 0.5,
    minimum: 0,
    description: "Weight of each modality's own loss in the warm-up, >= 0.",
  },
  /** Weight of a modality's own loss after the warm-up, >= 0. @defaultValue 1 */
  gamma: {
    kind: 'number',
    default: 1,
    minimum: 0,
    description: "Weight of a modality's own loss after the warm-up, >= 0.",
  },
  /** Seed of the order of samples, an integer >= 0. @defaultValue 0 */
  seed: {
    kind: 'number',
    default: 0,
    minimum: 0,
    integer: true,
    description: 'Seed of the order of samples, an integer >= 0.',
  },
} as const;

/** Options of {@link dataRemixing}. */
export interface DataRemixingOptions extends OptionsOf<typeof dataRemixingOptions> {}

/** The state of {@link dataRemixing}. */
export type DataRemixingState = {
  readonly modalities: readonly string[];
  /** The place of each sample's modality among the modalities, by position; null in the warm-up. */
  readonly assigned: readonly number[] | null;
};

/** The least probability, as in the authors' code. */
const leastProbability = 1e-9;

/**
 * Data remixing: each sample trains the modality that is least sure of it, and batches are of one modality, so that modalities
 * do not disturb each other.
 *
 * In the first epochs training is on whole samples, with the weight α on each modality's own loss. Then, before each epoch,
 * with a modality's own head and `p = softmax(f_m)`, each sample goes to the modality of the least
 * `Σ_c p_c log₂(C p_c)`, the divergence from even probabilities. The features of its other modalities are zero. The loss is the
 * joint one plus γ times the modality's own.
 *
 * Samples come in an order of the seed, those of one modality after those of the other.
 *
 * @throws MultigradError `invalid-option`
 *
 * @example
 * ```ts
 * import { balanced, dataRemixing } from '@multigrad/balancing';
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
 *   balanced(dataRemixing({ warmUp: 1 }), network);
 * } catch (error) {
 *   console.log(String(error)); // … it reads training data outside of steps …
 * }
 * ```
 *
 * @see Ma, Chen and Deng, "Improving Multimodal Learning Balance and Sufficiency through Data Remixing", ICML 2025
 * (https://arxiv.org/abs/2506.11550)
 */
export function dataRemixing(
  options: DataRemixingOptions = {},
): BalancingMethod<DataRemixingState> {
  const { warmUp, alpha, gamma, seed } = resolveOptions(
    'data-remixing',
    dataRemixingOptions,
    options,
  );
  return {
    specification: 1,
    name: 'data-remixing',
    needs: { data: 'samples' },
    init: ({ modalities }) => ({ modalities, assigned: null }),
    lossWeights: ({ modalities, assigned }) =>
      record(modalities, () => (assigned === null ? alpha : gamma)),
    beforeEpoch: async (start, state) =>
      start.epoch < warmUp ? state : { ...state, assigned: await assignment(start) },
    draw: (epoch, _, { modalities, assigned }) =>
      assigned === null ? null : drawOf(modalities, assigned, seed, epoch),
    objectives: (pass) => ({ objectives: presentObjectives(pass) }),
  };
}

/** The plugin of {@link dataRemixing}. */
export const plugin: BalancingPlugin<DataRemixingOptions> = defineBalancing({
  specification: 1,
  name: 'data-remixing',
  title: 'Data Remixing',
  summary:
    'Gives each sample to the modality that is least sure of it, and trains on batches of one modality.',
  paper: {
    title: 'Improving Multimodal Learning Balance and Sufficiency through Data Remixing',
    authors: ['Xiaoyu Ma', 'Hao Chen', 'Yongjian Deng'],
    venue: 'ICML',
    year: 2025,
    url: 'https://arxiv.org/abs/2506.11550',
  },
  formula:
    'sample i trains m(i) = argmin_m Σ_c p_mic log₂(C p_mic), the features of the others zero: L + γ L_m(i); in the warm-up L + α Σ_m L_m',
  use: 'When modalities disturb each other within a batch.',
  serves: 'two or more modalities; any fusion; data that it knows by samples',
  deviations: [
    "The equations are those of the authors' code; the paper's text was not compared with them.",
    'Where the number of samples of a modality is no multiple of the batch size, one batch holds samples of two modalities.',
    "Modalities come in the network's order; that code has the images first.",
    "The paper's setting is a strategy that adds up the objectives.",
  ],
  options: dataRemixingOptions,
  create: dataRemixing,
});

/** For each training sample the place of the modality that is least sure of it. */
async function assignment({ network, data }: EpochStart): Promise<number[]> {
  const assigned = new Array<number>(data!.count!).fill(0);
  for await (const batch of data!.batches()) {
    const found = tf.tidy(() => leastSure(network, batch));
    const own = await found.data();
    found.dispose();
    own.forEach((modality, i) => (assigned[batch.positions![i]!] = modality));
  }
  return assigned;
}

/** The place of the modality whose prediction is nearest to even probabilities, for each sample. */
export function leastSure(network: BalancedNetwork, { inputs }: LabelledBatch): tf.Tensor1D {
  const mode = { training: false };
  const logits = network.logits(network.features(inputs, mode), mode);
  const divergences = network.modalities.map((modality) => {
    const p = tf.clipByValue(tf.softmax(entry(logits, modality)), leastProbability, 1);
    return tf.sum(tf.mul(p, tf.log(tf.mul(p, network.classes))), 1);
  });
  return tf.argMin(tf.stack(divergences), 0);
}

/** All samples, those of each modality together and in an order of their own, with that modality alone. */
function drawOf(
  modalities: readonly string[],
  assigned: readonly number[],
  seed: number,
  epoch: number,
): Draw {
  const order = resumeRandom(randomState(seed, 'data-remixing', epoch)).permutation(
    assigned.length,
  );
  const positions = Int32Array.from(
    modalities.flatMap((_, m) => Array.from(order).filter((i) => assigned[i] === m)),
  );
  const masks = record(modalities, (_, m) =>
    Uint8Array.from(positions, (i) => +(assigned[i] === m)),
  );
  return { positions, masks, masked: 'features' };
}
