import { own } from '@multigrad/core/strategy';
import * as tf from '@tensorflow/tfjs-core';
import type { BalancedObjectives } from '../contract/network.ts';
import type { Pass } from '../contract/pass.ts';
import { entry } from './by-name.ts';

/** What a batch without a sample of a modality counts in the means of its logs. */
const leastCount = 1e-6;

/**
 * The network's objectives where samples lack modalities: the joint one over all samples, a modality's own over those that
 * have it; 0 where no sample of the batch has it.
 */
export function presentObjectives(pass: Pass): BalancedObjectives {
  const { network, labels, masks } = pass;
  if (masks === null) return pass.objectives();
  const logits = pass.logits();
  const [joint, ...modalities] = network.objectiveNames;
  const all = network.objectivesFromLogits(logits, labels);
  const single = modalities.map((modality) => {
    const mask = own(masks, modality);
    if (mask === undefined) return [modality, entry(all, modality)] as const;
    const there = tf.logicalAnd(tf.greater(mask, 0), tf.greaterEqual(labels, 0));
    const count = tf.sum(tf.cast(there, 'float32'));
    // A loss over no samples is no number: there all labels are taken for 0, and the loss has the weight 0.
    const some = tf.cast(tf.greater(count, 0), 'float32');
    const known = tf.where(there, labels, tf.fill(labels.shape, -1, 'int32'));
    const kept = tf.where(tf.greater(some, 0), known, tf.zerosLike(labels));
    const objectives = network.objectivesFromLogits(logits, kept);
    const { loss, ...measured } = entry(objectives, modality);
    const samples = tf.maximum(count, leastCount);
    return [modality, { ...measured, samples, loss: tf.mul(loss, some) }] as const;
  });
  return { [joint!]: entry(all, joint!), ...Object.fromEntries(single) };
}
