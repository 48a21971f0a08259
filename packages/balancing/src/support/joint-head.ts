import * as tf from '@tensorflow/tfjs-core';
import { entry, record } from './by-name.ts';
import type { BalancedNetwork, ByModality } from '../contract/network.ts';

/**
 * Why the joint head does not fall apart by modality; null where it does: the fusion has to be concatenation.
 */
export function whyNotCut(network: BalancedNetwork): string | null {
  const { fusion, modalities, heads, objectiveNames } = network;
  const lengths = lengthsOf(network);
  const total = lengths.reduce((sum, length) => sum + length, 0);
  const [kernel] = entry(heads, objectiveNames[0]!).weights;
  const isConcatenation =
    fusion.weights.length === 0 &&
    fusion.outputs[0]!.shape[1] === total &&
    kernel?.read().shape[0] === total;
  if (isConcatenation) return null;
  return (
    'its joint head has to fall apart by modality, which needs concatenation as the fusion. ' +
    `Found fusion \`${fusion.name}\` from ${modalities.map((m, k) => `${m} ${lengths[k]}`).join(' + ')} to ${fusion.outputs[0]!.shape[1]} ` +
    `numbers with ${fusion.weights.length} weights`
  );
}

/** The joint head's kernel cut by modality: the part that meets each one's features, length × classes. */
export function cutKernel(network: BalancedNetwork): Record<string, tf.Tensor2D> {
  const { heads, objectiveNames, modalities } = network;
  const kernel = entry(heads, objectiveNames[0]!).weights[0]!.read() as tf.Tensor2D;
  const lengths = lengthsOf(network);
  return record(modalities, (_, k) => {
    const from = lengths.slice(0, k).reduce((sum, length) => sum + length, 0);
    return tf.slice(kernel, [from, 0], [lengths[k]!, -1]);
  });
}

/**
 * What each modality says alone, by the joint head cut by modality: `W_k z_k + b/M`, n × classes. They add up to the joint
 * logits.
 *
 * @param vectors - of every modality, n × length
 */
export function cutLogits(
  network: BalancedNetwork,
  vectors: ByModality<tf.Tensor2D>,
): Record<string, tf.Tensor2D> {
  const { heads, objectiveNames, modalities } = network;
  const kernels = cutKernel(network);
  const bias = entry(heads, objectiveNames[0]!).weights[1]!.read();
  const share = tf.div(bias, modalities.length);
  return record(modalities, (modality) =>
    tf.add<tf.Tensor2D>(tf.matMul(entry(vectors, modality), entry(kernels, modality)), share),
  );
}

/** Lengths of the modalities' vectors: what their own heads take. */
function lengthsOf({ modalities, heads }: BalancedNetwork): number[] {
  return modalities.map((modality) => entry(heads, modality).weights[0]!.read().shape[0]);
}
