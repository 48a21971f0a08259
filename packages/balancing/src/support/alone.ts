import * as tf from '@tensorflow/tfjs-core';
import type { BalancedNetwork, ByModality } from '../contract/network.ts';
import type { Pass } from '../contract/pass.ts';
import { entry, record } from './by-name.ts';
import { constants } from './constants.ts';
import { cutLogits, whyNotCut } from './joint-head.ts';

/** Features of which only some modalities' are kept; the others' are zero. */
export function onlyFeatures(features: ByModality, kept: readonly string[]): ByModality {
  return Object.fromEntries(
    Object.entries(features).map(([modality, z]) => [
      modality,
      kept.includes(modality) ? z : tf.zerosLike(z),
    ]),
  );
}

/** The joint logits where the features of all but some modalities are zero, n × classes. */
export function maskedLogits(pass: Pass, kept: readonly string[]): tf.Tensor2D {
  const { network, mode } = pass;
  return entry(network.logits(onlyFeatures(pass.features(), kept), mode), jointOf(network));
}

/**
 * What each modality says alone, n × classes: its share `W_k z_k + b/M` of the joint logits where the fusion is concatenation,
 * else the joint logits with the others' features zero.
 */
export function aloneLogits(pass: Pass): ByModality<tf.Tensor2D> {
  const { network } = pass;
  if (whyNotCut(network) === null) return cutLogits(network, pass.vectors());
  return record(network.modalities, (modality) => maskedLogits(pass, [modality]));
}

/**
 * Numbers from what each modality says alone, in their order; they count as constants.
 *
 * @param measure - makes a number of a modality's logits
 */
export function measuredAlone(
  pass: Pass,
  measure: (logits: tf.Tensor2D) => tf.Scalar,
): tf.Scalar[] {
  // A pass keeps what it has computed, which the objectives need as part of their own forward pass: not as constants.
  pass.vectors();
  return constants(() => {
    const alone = aloneLogits(pass);
    return pass.network.modalities.map((modality) => measure(entry(alone, modality)));
  });
}

/** Name of the joint objective. */
export function jointOf({ objectiveNames }: BalancedNetwork): string {
  return objectiveNames[0]!;
}
