import { type OptionsOf } from '@multigrad/core/strategy';
import * as tf from '@tensorflow/tfjs-core';
import type { BalancingMethod, EpochStart } from '../contract/method.ts';
import type { BalancedNetwork, ByModality } from '../contract/network.ts';
import type { Pass } from '../contract/pass.ts';
import { entry, record } from './by-name.ts';
import { classLabels, crossEntropy } from './class-labels.ts';
import { constants } from './constants.ts';
import { packed, type PackedTensors, unpacked } from './packed.ts';

/** Descriptions of the options of unimodal teachers. */
export const teacherOptions = {
  /** Epochs for which the teachers train first, an integer >= 1. @defaultValue 10 */
  teacherEpochs: {
    kind: 'number',
    default: 10,
    minimum: 1,
    integer: true,
    description: 'Epochs for which the teachers train first, an integer >= 1.',
  },
  /** Their learning rate, > 0, for Adam. @defaultValue 0.001 */
  teacherRate: {
    kind: 'number',
    default: 0.001,
    exclusiveMinimum: 0,
    description: "The teachers' learning rate, > 0, for Adam.",
  },
} as const;

/** How unimodal teachers train. */
export interface TeacherOptions extends OptionsOf<typeof teacherOptions> {}

/** Weights of encoders and of the modalities' own heads, by their names in `namedVariables`. */
export type TeacherWeights = PackedTensors;

/**
 * Why a network has no unimodal teachers; null where it can have some: with an exchange, encoders depend on several modalities.
 */
export function whyNoTeachers({
  trainableVariables,
  parts,
  heads,
  fusion,
}: BalancedNetwork): string | null {
  const own = Object.values(parts).reduce((sum, variables) => sum + variables.length, 0);
  const ofHeads = Object.values(heads).reduce((sum, { weights }) => sum + weights.length, 0);
  const exchanged = trainableVariables.length - own - ofHeads - fusion.weights.length;
  if (exchanged <= 0) return null;
  return (
    'a teacher knows one modality alone, which needs encoders without an exchange between them. ' +
    `Found an exchange with ${exchanged} weight tensors`
  );
}

/** What methods with teachers have in their state. */
interface WithTeachers {
  /** Null before the first epoch. */
  readonly teachers: TeacherWeights | null;
}

/**
 * What methods with teachers need, the tensors that they use, and how they come to the teachers before an epoch: given ones, or
 * those of the state, or new ones.
 */
export function teaching(
  given: TeacherWeights | null,
  options: Required<TeacherOptions>,
): Pick<BalancingMethod, 'needs'> & {
  readonly tensors: (state: WithTeachers) => tf.NamedTensorMap;
  readonly teachersOf: (start: EpochStart, state: WithTeachers) => Promise<TeacherWeights>;
} {
  return {
    needs: given === null ? { data: 'batches' } : {},
    tensors: ({ teachers }) => (teachers === null ? {} : unpacked(teachers)),
    teachersOf: async (start, { teachers }) => teachers ?? trainTeachers(start, options),
  };
}

/**
 * Trains a teacher for each modality: its encoder and its own head, by its own objective alone, from the weights that the network
 * has. The network has these weights again afterwards.
 */
async function trainTeachers(
  { network, data }: EpochStart,
  { teacherEpochs, teacherRate }: Required<TeacherOptions>,
): Promise<TeacherWeights> {
  const before = [...teacherVariables(network)].map(
    ([, variable]) => [variable, tf.clone(variable)] as const,
  );
  const trained = [...network.trainableVariables].filter((variable) =>
    before.some(([one]) => one === variable),
  );
  const optimizer = tf.train.adam(teacherRate);
  try {
    let step = 0;
    for (let epoch = 0; epoch < teacherEpochs; epoch += 1) {
      for await (const { inputs, labels } of data!.batches()) {
        optimizer.minimize(() => lossOfAll(network, inputs, labels, step), false, trained);
        step += 1;
      }
    }
    return await packed(teacherVariables(network));
  } finally {
    for (const [variable, value] of before) variable.assign(value);
    tf.dispose(before.map(([, value]) => value));
    optimizer.dispose();
  }
}

/** The sum of the modalities' own losses: no weight has a part in two of them. */
function lossOfAll(
  network: BalancedNetwork,
  inputs: ByModality,
  labels: tf.Tensor1D,
  step: number,
): tf.Scalar {
  const mode = { training: true, step };
  const logits = network.logits(network.features(inputs, mode), mode);
  const targets = classLabels(labels, network.classes);
  return tf.addN(
    network.modalities.map((modality) => crossEntropy(entry(logits, modality), targets)),
  );
}

/** What a teacher says of a batch. */
export interface TeacherOutput {
  /** Its features as vectors, n × length. */
  readonly vector: tf.Tensor2D;
  /** The logits of its head, n × classes. */
  readonly logits: tf.Tensor2D;
}

/**
 * The teachers' features and logits of a batch, by modality, in inference mode; they count as constants. Null before there are
 * teachers, as where a trainer is used without `fit`.
 */
export function teacherOutputs({
  network,
  inputs,
  tensors: weights,
}: Pass): Record<string, TeacherOutput> | null {
  if (Object.keys(weights).length === 0) return null;
  const mode = { training: false };
  const made = constants(() =>
    withWeights(network, weights, () => {
      const features = network.features(inputs, mode);
      const [vectors, logits] = [network.vectors(features), network.logits(features, mode)];
      return network.modalities.flatMap((one) => [entry(vectors, one), entry(logits, one)]);
    }),
  );
  return record(network.modalities, (_, k) => ({
    vector: made[2 * k]!,
    logits: made[2 * k + 1]!,
  }));
}

/** Runs a function while some variables have other values. */
function withWeights<T>(network: BalancedNetwork, weights: tf.NamedTensorMap, run: () => T): T {
  const swapped = Object.entries(weights).map(([name, value]) => {
    const variable = network.namedVariables.get(name)!;
    const own = tf.clone(variable);
    variable.assign(value);
    return [variable, own] as const;
  });
  try {
    return run();
  } finally {
    for (const [variable, own] of swapped) variable.assign(own);
    tf.dispose(swapped.map(([, own]) => own));
  }
}

/** The variables of the encoders and of the modalities' own heads, moving statistics included, by name. */
function teacherVariables(network: BalancedNetwork): Map<string, tf.Variable> {
  const parts = network.modalities.flatMap((modality) => [`${modality}/`, `head/${modality}/`]);
  return new Map(
    [...network.namedVariables].filter(([name]) => parts.some((part) => name.startsWith(part))),
  );
}
