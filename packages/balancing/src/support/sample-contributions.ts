import { shapleyFunctional } from '@multigrad/core/support';
import * as tf from '@tensorflow/tfjs-core';
import type { LabelledBatch } from '../contract/data.ts';
import type { BalancedNetwork, ByModality } from '../contract/network.ts';
import { jointOf, onlyFeatures } from './alone.ts';
import { entry, record } from './by-name.ts';
import { subsetsOf } from './subsets.ts';

/**
 * What each modality contributes to the joint prediction of each sample of a batch: its Shapley value where a set S of
 * modalities is worth |S| if the joint prediction from their features alone, the others' zero, is right, else 0.
 *
 * Contributions add up to the number of modalities where the joint prediction is right, else to 0.
 *
 * @returns by modality n numbers, NaN where a label is missing
 */
export async function sampleContributions(
  network: BalancedNetwork,
  { inputs, labels }: LabelledBatch,
): Promise<Record<string, Float64Array>> {
  const { modalities } = network;
  const mode = { training: false };
  const sets = subsetsOf(modalities);
  const hits = tf.tidy(() => {
    const features = network.features(inputs, mode);
    const right = sets.map((set) =>
      tf.cast(tf.equal(predictions(network, features, set), labels), 'int32'),
    );
    return tf.stack(right);
  });
  const [known, right] = [await labels.data<'int32'>(), await hits.data<'int32'>()];
  hits.dispose();
  const samples = known.length;
  return record(modalities, (_, k) => {
    const { weights, divisor } = shapleyFunctional(modalities.length, k);
    return Float64Array.from(known, (label, i) => {
      if (label < 0) return NaN;
      const total = sets.reduce(
        (sum, set, s) => sum + weights[s]! * set.length * right[s * samples + i]!,
        0,
      );
      return total / divisor;
    });
  });
}

function predictions(
  network: BalancedNetwork,
  features: ByModality,
  kept: readonly string[],
): tf.Tensor1D {
  const logits = network.logits(onlyFeatures(features, kept), { training: false });
  return tf.argMax(entry(logits, jointOf(network)), 1);
}
