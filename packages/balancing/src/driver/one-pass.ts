import { own } from '@multigrad/core/strategy';
import * as tf from '@tensorflow/tfjs-core';
import type { BalancedNetwork, ByModality, PassMode } from '../contract/network.ts';
import type { Pass } from '../contract/pass.ts';

/** What a pass is made of. */
interface PassParts {
  readonly network: BalancedNetwork;
  readonly inputs: ByModality;
  readonly labels: tf.Tensor1D;
  readonly masks: ByModality<tf.Tensor1D> | null;
  readonly mode: PassMode;
  readonly tensors: tf.NamedTensorMap;
}

/** A forward pass that computes what it is asked for, once. It runs within a `tf.tidy`. */
export function onePass({ network, inputs, labels, masks, mode, tensors }: PassParts): Pass {
  const features = once(() => maskedFeatures(network.features(inputs, mode), masks));
  const logits = once(() => network.logits(features(), mode));
  return {
    network,
    inputs,
    labels,
    masks,
    mode,
    tensors,
    features,
    vectors: once(() => network.vectors(features())),
    logits,
    objectives: once(() => network.objectivesFromLogits(logits(), labels)),
    objectivesFrom: (other) => network.objectivesFromLogits(network.logits(other, mode), labels),
    masked: (missing) => {
      const kept = Object.entries(inputs).map(([modality, input]) => [
        modality,
        missing.includes(modality) ? tf.zerosLike(input) : input,
      ]);
      return network.logits(network.features(Object.fromEntries(kept) as ByModality, mode), mode);
    },
  };
}

function maskedFeatures(features: ByModality, masks: ByModality<tf.Tensor1D> | null): ByModality {
  if (masks === null) return features;
  const masked = Object.entries(features).map(([modality, z]) => {
    const mask = own(masks, modality);
    if (mask === undefined) return [modality, z] as const;
    return [modality, tf.mul(z, tf.reshape(mask, [-1, ...z.shape.slice(1).map(() => 1)]))] as const;
  });
  return Object.fromEntries(masked);
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | null = null;
  return () => (made ??= { value: make() }).value;
}
