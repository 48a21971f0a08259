import type { ObjectiveContext, Objectives } from '@multigrad/core';
import type { NamedTensorMap, Tensor } from '@tensorflow/tfjs-core';
import type { ExperimentData } from './data.ts';
import type { Network } from './network.ts';

/** Values of metrics by objective and metric. */
export type MetricValues<Objective extends string = string> = Readonly<
  Partial<Record<Objective, Readonly<Record<string, number>>>>
>;

/** Everything that one run trains and measures. */
export interface OpenExperiment<
  Batch extends NamedTensorMap = NamedTensorMap,
  Objective extends string = string,
> {
  readonly network: Network;
  readonly data: ExperimentData<Batch>;
  /** Entries of a batch that are modalities: the test set is also measured with each of them set to zero. @defaultValue none */
  readonly modalities?: readonly (keyof Batch & string)[];
  /**
   * The joint prediction of a batch, in inference: logits, n × classes. With it and `modalities`, `--contribution` measures
   * what each modality contributes; the batch then has masks in the place of some of them. @defaultValue none
   */
  predict?(batch: Batch): Tensor;
  /**
   * As `predict`, of a network that has learnt tokens: the network itself leaves out the modalities that are not seen. For
   * `--contribution token`. @defaultValue none
   *
   * @param seen - the modalities that are seen, none to all
   */
  predictMasked?(batch: Batch, seen: readonly string[]): Tensor;
  /** The entry of a batch that holds the class labels of `predict`, from 0, −1 for none. @defaultValue 'label' */
  readonly labels?: keyof Batch & string;
  /**
   * One forward pass for one batch: each objective's loss, and its metrics as means over the batch. An objective that no
   * sample has a label for is left out.
   */
  objectives(batch: Batch, context: ObjectiveContext): Objectives<Objective>;
  /**
   * Measures metrics that are not means over batches, such as an F1 score, on a whole data set. What it returns is added to
   * the metrics of `objectives`.
   *
   * @param batches - the data set's batches, which `evaluate` frees
   */
  evaluate?(
    batches: AsyncIterable<Batch>,
  ): MetricValues<Objective> | Promise<MetricValues<Objective>>;
  /** Frees what `open` made beside the network. @defaultValue nothing */
  dispose?(): void;
}

/**
 * What `open` of an experiment returns, with the type of a batch inferred: the data's batches are what `objectives` gets.
 * It returns its argument; plain JavaScript does not need it.
 *
 * @example
 * ```ts
 * import { opened } from '@multigrad/experiment';
 * import '@tensorflow/tfjs-backend-cpu';
 * import * as tf from '@tensorflow/tfjs-core';
 *
 * const slope = tf.variable(tf.scalar(0));
 * const points = {
 *   count: 4,
 *   batch: (indices: Int32Array) => ({ x: tf.tensor1d([...indices]), y: tf.tensor1d([...indices]) }),
 * };
 * const experiment = opened({
 *   network: { variables: { slope } },
 *   data: { train: points, test: points },
 *   objectives: ({ x, y }) => ({ distance: tf.mean(tf.squaredDifference(tf.mul(slope, x), y)) }),
 * });
 * console.log(Object.keys(experiment.network)); // [ 'variables' ]
 * ```
 */
export function opened<Batch extends NamedTensorMap, const Objective extends string>(
  experiment: OpenExperiment<Batch, Objective>,
): OpenExperiment<Batch, Objective> {
  return experiment;
}
