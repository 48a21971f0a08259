import * as tf from '@tensorflow/tfjs-core';
import type { LabelledBatch } from '../contract/data.ts';
import type { BalancedNetwork, ByModality } from '../contract/network.ts';
import { jointOf, onlyFeatures } from './alone.ts';
import { entry } from './by-name.ts';

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
  const count = modalities.length;
  const mode = { training: false };
  const hits = tf.tidy(() => {
    const features = network.features(inputs, mode);
    const right = Array.from({ length: 1 << count }, (_, set) =>
      tf.cast(
        tf.equal(predictions(network, features, membersOf(set, modalities)), labels),
        'int32',
      ),
    );
    return tf.stack(right);
  });
  const [known, right] = [await labels.data<'int32'>(), await hits.data<'int32'>()];
  hits.dispose();
  const samples = known.length;
  const worth = (set: number, i: number): number => sizeOf(set) * right[set * samples + i]!;
  return Object.fromEntries(
    modalities.map((modality, k) => [
      modality,
      Float64Array.from(known, (label, i) => {
        if (label < 0) return NaN;
        let total = 0;
        for (let set = 0; set < 1 << count; set++) {
          if ((set & (1 << k)) !== 0) continue;
          const gain = worth(set | (1 << k), i) - worth(set, i);
          total += factorial(sizeOf(set)) * factorial(count - sizeOf(set) - 1) * gain;
        }
        return total / factorial(count);
      }),
    ]),
  );
}

function predictions(
  network: BalancedNetwork,
  features: ByModality,
  kept: readonly string[],
): tf.Tensor1D {
  const logits = network.logits(onlyFeatures(features, kept), { training: false });
  return tf.argMax(entry(logits, jointOf(network)), 1);
}

function membersOf(set: number, modalities: readonly string[]): string[] {
  return modalities.filter((_, k) => (set & (1 << k)) !== 0);
}

function sizeOf(set: number): number {
  return set === 0 ? 0 : (set & 1) + sizeOf(set >> 1);
}

function factorial(n: number): number {
  return n <= 1 ? 1 : n * factorial(n - 1);
}
