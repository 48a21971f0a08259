import { shapleyFunctional, sizeOf, valueOf } from '@multigrad/core/support';
import { missingLabel } from '../losses/labels.ts';
import {
  askCoalitions,
  checkQuestion,
  type Masks,
  type Predict,
  type Question,
} from './coalition-values.ts';

/** Options of {@link sampleValuation}. */
export interface SampleValuationOptions<Modality extends string> {
  /** Entries of a batch that are modalities, two to six. */
  readonly modalities: readonly Modality[];
  /** The entry of a batch that holds the labels. @defaultValue 'label' */
  readonly labels?: string;
  /** What the network sees in the place of a modality that is left out. @defaultValue 'zero' */
  readonly masks?: Masks<NoInfer<Modality>>;
}

/**
 * What each modality contributes to the joint prediction of each sample of a batch.
 *
 * The value of a set C of modalities is its size, `v(C) = |C|`, where the prediction from C alone is right, else 0; v(∅) is 0.
 * Modality k's contribution is its Shapley value of that game. For two modalities
 * `φ_1 = (v(1) + v(12) − v(2))/2`. The contributions add up to M where the joint prediction is right, else to 0; below 1 a
 * modality does less than its share.
 *
 * @param predict - logits of the batch; called once for each of the 2^M sets of modalities
 * @param batch - the modalities, and labels from 0 or −1 for none, int32; it stays the caller's
 * @returns n numbers for each modality, NaN where the label is missing
 * @throws MultigradError as {@link modalityContributions} does; nothing stays on the device
 *
 * @example
 * ```ts
 * import { sampleValuation } from '@multigrad/models';
 * import '@tensorflow/tfjs-backend-cpu';
 * import * as tf from '@tensorflow/tfjs-core';
 *
 * // Class 1 where the sum is above 0. Sample 0 is told right by the image alone, sample 1 by both.
 * const batch = {
 *   image: tf.tensor2d([[3], [2]]),
 *   audio: tf.tensor2d([[-1], [2]]),
 *   label: tf.tensor1d([1, 1], 'int32'),
 * };
 * const { image, audio } = await sampleValuation(
 *   ({ image: x, audio: y }) => tf.concat([tf.zerosLike(x), tf.add(x, y)], 1),
 *   batch,
 *   { modalities: ['image', 'audio'] },
 * );
 * console.log(image, audio); // Float64Array(2) [ 1.5, 1 ] Float64Array(2) [ 0.5, 1 ]
 * ```
 *
 * @see Wei, Feng, Wang and Hu, "Enhancing Multimodal Cooperation via Sample-level Modality Valuation", CVPR 2024
 * (https://arxiv.org/abs/2309.06255), equations 1 to 3
 */
export async function sampleValuation<Batch extends object, Modality extends string>(
  predict: Predict<NoInfer<Batch>, NoInfer<Modality>>,
  batch: Batch,
  options: SampleValuationOptions<Modality>,
): Promise<Record<Modality, Float64Array>> {
  const { modalities, masks = 'zero', labels: entry = 'label' } = options;
  const owner = 'sampleValuation';
  const question: Question<Batch, Modality> = { owner, predict, modalities, masks, labels: entry };
  checkQuestion(question);
  const { hits, labels } = await askCoalitions(question, batch);
  const functionals = modalities.map((_, k) => shapleyFunctional(modalities.length, k));
  const values = new Float64Array(1 << modalities.length);
  const contributions = modalities.map(() => new Float64Array(labels.length));
  for (let i = 0; i < labels.length; i++) {
    hits.forEach((ofCoalition, coalition) => {
      values[coalition] = sizeOf(coalition) * ofCoalition[i]!;
    });
    functionals.forEach((functional, k) => {
      contributions[k]![i] = labels[i] === missingLabel ? NaN : valueOf(functional, values);
    });
  }
  return Object.fromEntries(
    modalities.map((modality, k) => [modality, contributions[k]!]),
  ) as Record<Modality, Float64Array>;
}
