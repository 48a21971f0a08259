import type { TrainerCallback } from '@multigrad/core';
import { type OptionsOf, resolveOptions } from '@multigrad/core/strategy';
import * as tf from '@tensorflow/tfjs-core';
import type { MultimodalNetwork } from '../networks/multimodal-network.ts';
import { type ForwardMode, record } from '../networks/parts.ts';
import { averageFeatures, type LabelledBatches } from './class-means.ts';
import { prototypeTerm, type TermWeights } from './prototypes.ts';

/** Descriptions of the options of {@link pmr}. */
const pmrOptions = {
  /** Weight α of the prototypical cross-entropy of a modality that lags, >= 0. @defaultValue 1 */
  alpha: {
    kind: 'number',
    default: 1,
    minimum: 0,
    description: 'Weight of the prototypical cross-entropy of a modality that lags, >= 0.',
  },
  /** Weight μ of the entropy of a modality that leads, >= 0. @defaultValue 0.01 */
  mu: {
    kind: 'number',
    default: 0.01,
    minimum: 0,
    description: 'Weight of the entropy of a modality that leads, >= 0.',
  },
  /**
   * Number of updates of the prototypes, one each epoch, during which the entropy counts, an integer >= 0.
   *
   * @defaultValue 10
   */
  entropyUpdates: {
    kind: 'number',
    default: 10,
    minimum: 0,
    integer: true,
    description: 'For how many updates of the prototypes the entropy counts, an integer >= 0.',
  },
  /** Share of the old prototypes that an update keeps, from 0 to 1. @defaultValue 0.2 */
  momentum: {
    kind: 'number',
    default: 0.2,
    minimum: 0,
    maximum: 1,
    description: 'Share of the old prototypes that an update keeps, from 0 to 1.',
  },
} as const;

/** Options of {@link pmr}. */
export interface PmrOptions extends OptionsOf<typeof pmrOptions> {}

/** An objective's loss, with its accuracy, and how well its modality's prototypes tell the classes apart. */
export type RebalancedObjective = Readonly<{
  loss: tf.Scalar;
  metrics: Readonly<{ accuracy: tf.Scalar; prototype?: tf.Scalar }>;
}>;

/** A network under prototypical rebalancing. Make one with {@link pmr}. */
export interface PrototypicalRebalance<Modality extends string, Joint extends string> {
  /**
   * Like {@link MultimodalNetwork.objectives}. Once there are prototypes, the joint loss in training has the
   * rebalancing term added, and each modality has a metric `prototype` beside its accuracy: the mean probability, 0 to
   * 1, that its prototypes give the true class.
   */
  readonly objectives: (
    inputs: Readonly<Record<Modality, tf.Tensor>>,
    labels: tf.Tensor1D,
    mode: ForwardMode,
  ) => Record<Joint | Modality, RebalancedObjective>;
  /**
   * Moves the prototypes to the classes' mean features over these batches, which stay the caller's.
   *
   * @throws MultigradError `invalid-data` for a class that no sample has had so far
   */
  readonly update: (batches: LabelledBatches<Modality>) => Promise<void>;
  /**
   * Updates the prototypes before each epoch and keeps them in checkpoints.
   *
   * @param batches - returns those of one update, such as a tenth of the training samples; they are freed once used
   */
  readonly callback: (batches: () => LabelledBatches<Modality>) => TrainerCallback;
  /** The prototypes, by modality one row of numbers for each class; undefined before the first update. */
  readonly prototypes: () => Readonly<Record<Modality, readonly (readonly number[])[]>> | undefined;
  /** Frees the prototypes. */
  readonly dispose: () => void;
}

/**
 * Prototypical modal rebalance: the modality that lags is drawn to the mean features of its classes, the one that leads is
 * kept from being too sure too early.
 *
 * With prototypes c_mk, the mean features of class k in modality m, a modality's class probabilities are
 * `p_mk(z) = softmax_k(−‖z − c_mk‖)`. Its score is `s_m = Σ_i p_{m,y_i}(z_i)`, and `ρ_m = s_m / mean_{j≠m} s_j`. The joint
 * loss becomes `L + Σ_m α clip(1/ρ_m − 1, 0, 1) CE_m − μ clip(ρ_m − 1, 0, 1) H_m`, CE_m and H_m the mean cross-entropy and
 * entropy of p_m; ratios and prototypes are constants in its gradient.
 *
 * It concerns the encoders alone, so it works with any fusion and any strategy; the paper's setting is the joint
 * objective alone.
 *
 * @remarks
 * The paper's ratio is that of two modalities; for more, each is compared with the mean of the others. α and momentum
 * default to those of the authors' code, which weighs a lagging modality with α whole, not clipped, and has no entropy;
 * μ and its duration are this package's defaults.
 *
 * @param network - the network that is trained; it stays the caller's
 * @throws MultigradError `invalid-option`
 *
 * @example
 * ```ts
 * import { multilayerPerceptron, multimodalNetwork, pmr } from '@multigrad/models';
 * import '@tensorflow/tfjs-backend-cpu';
 * import * as tf from '@tensorflow/tfjs-core';
 *
 * const size = { shape: [3], hidden: [4], features: 4 };
 * const encoders = {
 *   a: multilayerPerceptron({ name: 'a', ...size }),
 *   b: multilayerPerceptron({ name: 'b', ...size }),
 * };
 * const network = multimodalNetwork({ encoders, classes: 2 });
 * const rebalance = pmr(network, { alpha: 1 });
 * const batch = { a: tf.eye(2, 3), b: tf.ones([2, 3]), label: tf.tensor1d([0, 1], 'int32') };
 * await rebalance.update([batch]); // a trainer: callbacks: [rebalance.callback(() => someBatches())]
 * const { multimodal, b } = rebalance.objectives(batch, batch.label, { training: true });
 * console.log(multimodal.loss.shape, b.metrics.prototype?.arraySync()); // [] 0.5: b cannot tell the classes apart
 * rebalance.dispose();
 * ```
 *
 * @see Fan, Xu, Wang, Wang and Guo, "PMR: Prototypical Modal Rebalance for Multimodal Learning", CVPR 2023
 * (https://arxiv.org/abs/2211.07089), section 3
 */
export function pmr<Modality extends string, Joint extends string>(
  network: MultimodalNetwork<Modality, Joint>,
  options: PmrOptions = {},
): PrototypicalRebalance<Modality, Joint> {
  const { alpha, mu, entropyUpdates, momentum } = resolveOptions('pmr', pmrOptions, options);
  const { modalities } = network;
  const joint = network.objectiveNames[0] as Joint;
  // By modality, classes × features: as numbers, and as the tensors that steps use.
  let rows: readonly (readonly (readonly number[])[])[] | null = null;
  let prototypes: readonly tf.Tensor2D[] | null = null;
  let updates = 0;

  const replace = (next: typeof rows): void => {
    prototypes?.forEach((tensor) => tensor.dispose());
    rows = next;
    prototypes =
      next?.map((own) => tf.keep(tf.tensor2d(own.flat(), [own.length, own[0]!.length]))) ?? null;
  };
  const weigh = (scores: readonly tf.Scalar[]): TermWeights[] =>
    scores.map((score, m) => {
      const others = scores.filter((_, j) => j !== m);
      const ratio = tf.div<tf.Scalar>(tf.mul(score, others.length), tf.addN(others));
      const share = (excess: tf.Tensor) => tf.clipByValue<tf.Scalar>(excess as tf.Scalar, 0, 1);
      return {
        crossEntropy: tf.mul(share(tf.sub(tf.reciprocal(ratio), 1)), alpha),
        entropy: tf.mul(share(tf.sub(ratio, 1)), updates <= entropyUpdates ? mu : 0),
      };
    });
  const update: PrototypicalRebalance<Modality, Joint>['update'] = async (batches) => {
    const before = rows;
    const means = await averageFeatures(network, batches, before);
    replace(
      before === null
        ? means
        : means.map((own, m) =>
            own.map((row, c) =>
              row.map((mean, i) => momentum * before[m]![c]![i]! + (1 - momentum) * mean),
            ),
          ),
    );
    updates += 1;
  };
  const read = () => {
    const known = rows;
    if (known === null) return undefined;
    return record(modalities, (modality) => known[modalities.indexOf(modality)]!);
  };

  return {
    objectives: (inputs, labels, mode) => {
      if (!mode.training || prototypes === null) return network.objectives(inputs, labels, mode);
      const known = prototypes;
      return tf.tidy(() => {
        const features = network.features(inputs, mode);
        const measured = network.objectivesFromFeatures(features, labels, mode);
        const vectors = network.vectors(features);
        const { term, scores } = prototypeTerm(
          modalities.map((modality) => vectors[modality]),
          known,
          labels,
          weigh,
        );
        const judged = record(modalities, (modality) => ({
          ...measured[modality],
          metrics: {
            ...measured[modality].metrics,
            prototype: scores[modalities.indexOf(modality)]!,
          },
        }));
        const own = { ...measured[joint], loss: tf.add(measured[joint].loss, term) };
        return { ...judged, [joint]: own } as Record<Joint | Modality, RebalancedObjective>;
      });
    },
    update,
    callback: (batches) => ({
      name: 'pmr',
      onEpochBegin: () => update(freed(batches())),
      snapshot: () => ({ updates, prototypes: read() ?? null }),
      restore: (state) => {
        const saved = state as unknown as {
          readonly updates: number;
          readonly prototypes: Readonly<Record<Modality, number[][]>> | null;
        };
        updates = saved.updates;
        if (saved.prototypes === null) return;
        const kept = saved.prototypes;
        replace(modalities.map((modality) => kept[modality]));
      },
    }),
    prototypes: read,
    dispose: () => replace(null),
  };
}

/** Batches that are freed once the next one is asked for. */
async function* freed<T extends tf.TensorContainer>(
  batches: Iterable<T> | AsyncIterable<T>,
): AsyncGenerator<T> {
  for await (const batch of batches) {
    try {
      yield batch;
    } finally {
      tf.dispose(batch);
    }
  }
}
