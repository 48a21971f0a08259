import {
  balanced,
  type BalancingMethod,
  type SampleSource,
  type TeacherWeights,
} from '@multigrad/balancing';
import { MultiObjectiveTrainer, type StepReport } from '@multigrad/core';
import { multilayerPerceptron, multimodalNetwork } from '@multigrad/models';
import { sum } from '@multigrad/strategy-sum';
import * as tf from '@tensorflow/tfjs-core';
import { Buffer } from 'node:buffer';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

// The network of scripts/check-peers/balancing/network.py, number by number.

const [classes, inputs, samples, rate] = [3, 3, 6, 0.125];
const lengths: Readonly<Record<string, number>> = { a: 4, b: 3, c: 2 };

/** What a training ended with. */
export interface FoundTraining {
  /** By step: the joint loss, then the modalities'. */
  readonly losses: readonly (readonly number[])[];
  readonly weights: Readonly<Record<string, readonly number[]>>;
  /** The objectives' losses of a later batch in evaluation, where the method changes predictions. */
  readonly evaluated?: readonly number[];
  /** What the method's state has at the end, or some of it. */
  readonly state?: unknown;
  /** Weights after what the method does after a later epoch. */
  readonly weights_after?: Readonly<Record<string, readonly number[]>>;
}

/** A training of the small network by a method, and what scripts/check-peers/balancing found for it in float64. */
export interface RecordedTraining {
  readonly options: Readonly<Record<string, number | string>>;
  readonly modalities?: 2 | 3;
  readonly fusion?: 'concatenation' | 'summation' | 'gated';
  /** The layers behind which an `mmtm` exchange stands; the encoders then have two layers. */
  readonly exchange?: readonly ('dense1' | 'dense2')[];
  readonly steps?: number;
  readonly steps_per_epoch?: number;
  /** Whether a label is missing in each batch. */
  readonly missing?: boolean;
  /** By step which samples have which modality; null where all have all. */
  readonly masks?: readonly (Readonly<Record<string, readonly number[]>> | null)[];
  /** Whether what the method does before or after a later epoch is recorded too. */
  readonly then?: 'begin' | 'end';
  readonly found: FoundTraining;
}

/** The methods of which trainings are recorded. */
export const recordedMethods = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith('.json'))
  .map((file) => file.slice(0, -'.json'.length));

/** What is recorded of a method. */
export function recordedTrainings(method: string): readonly RecordedTraining[] {
  const text = readFileSync(join(import.meta.dirname, `${method}.json`), 'utf8');
  return (JSON.parse(text) as { readonly cases: readonly RecordedTraining[] }).cases;
}

/** Numbers that float32 holds, a function of a seed and their places. */
export function numbers(seed: number, shape: readonly number[]): Float32Array {
  const size = shape.reduce((product, length) => product * length, 1);
  return Float32Array.from(
    { length: size },
    (_, i) => Math.floor(256 * Math.sin(12.25 * (i + 1) + 78.5 * seed) + 0.5) / 512,
  );
}

/** A number that a variable's name alone gives. */
export function seedOf(name: string): number {
  const codes = Array.from({ length: name.length }, (_, i) => (i + 1) * name.charCodeAt(i));
  return codes.reduce((total, code) => total + code, 0) % 997;
}

/** The small network of a case, with its weights. */
export function recordedNetwork({
  modalities = 2,
  fusion = 'concatenation',
  exchange,
}: Pick<RecordedTraining, 'modalities' | 'fusion' | 'exchange'>) {
  const names = ['a', 'b', 'c'].slice(0, modalities);
  const network = multimodalNetwork({
    encoders: Object.fromEntries(
      names.map((name) => [
        name,
        multilayerPerceptron({
          ...{ name, shape: [inputs], hidden: exchange === undefined ? [] : [4] },
          features: fusion === 'concatenation' ? lengths[name]! : 4,
        }),
      ]),
    ),
    ...(exchange === undefined ? {} : { exchange: { kind: 'mmtm', after: exchange } as const }),
    ...{ fusion, classes },
  });
  for (const [name, variable] of network.namedVariables) {
    const values = numbers(seedOf(name), variable.shape).map((value) => 2 * value);
    tf.tidy(() => variable.assign(tf.tensor(values, variable.shape)));
  }
  return network;
}

/** Weights of teachers, as the cases of UMT and G2D have them. */
export function recordedTeachers(training: RecordedTraining): TeacherWeights {
  const network = recordedNetwork(training);
  const weights = network.modalities.flatMap((modality) =>
    [
      `${modality}/dense1/kernel`,
      `${modality}/dense1/bias`,
      `head/${modality}/kernel`,
      `head/${modality}/bias`,
    ].map((name, k) => {
      const { shape } = network.namedVariables.get(name)!;
      const bytes = Buffer.from(numbers(300 + k, shape).buffer);
      return [name, { shape: [...shape], data: bytes.toString('base64') }] as const;
    }),
  );
  network.dispose();
  return Object.fromEntries(weights);
}

/** The batch of a step. */
export function recordedBatch(
  step: number,
  {
    modalities = 2,
    missing = false,
    masks,
  }: Pick<RecordedTraining, 'modalities' | 'missing' | 'masks'>,
): tf.NamedTensorMap {
  const label = Int32Array.from({ length: samples }, (_, i) => (i * i + i * step + step) % classes);
  if (missing) label[step % samples] = -1;
  const names = ['a', 'b', 'c'].slice(0, modalities);
  return {
    ...Object.fromEntries(
      names.map((name, k) => {
        const values = numbers(100 + 10 * step + k, [samples, inputs]);
        return [
          name,
          tf.tensor2d(
            values.map((value) => value * 4 * 0.5 ** k),
            [samples, inputs],
          ),
        ];
      }),
    ),
    ...Object.fromEntries(
      Object.entries(masks?.[step] ?? {}).map(([name, mask]) => [
        `mask/${name}`,
        tf.tensor1d([...mask]),
      ]),
    ),
    label: tf.tensor1d(label, 'int32'),
  };
}

/** The batches of some steps as samples. */
function recordedSamples(
  steps: readonly number[],
  training: RecordedTraining,
): SampleSource<tf.NamedTensorMap> {
  return {
    count: steps.length * samples,
    batch: (indices) => {
      const batches = steps.map((step) => recordedBatch(step, training));
      const chosen = tf.tidy(() => {
        const rows = tf.tensor1d(indices, 'int32');
        const names = Object.keys(batches[0]!);
        return Object.fromEntries(
          names.map((name) => {
            const all = tf.concat(batches.map((batch) => batch[name]!));
            return [name, tf.cast(tf.gather(all, rows), all.dtype)];
          }),
        );
      });
      tf.dispose(batches);
      return chosen;
    },
  };
}

/** Trains as the case says, by plain descent on the sum of all objectives. */
export async function trainRecorded(
  method: BalancingMethod | null,
  training: RecordedTraining,
): Promise<FoundTraining> {
  const { steps = 10, steps_per_epoch: perEpoch = steps } = training;
  const network = recordedNetwork(training);
  const optimizer = tf.train.sgd(rate);
  const balance =
    method === null
      ? null
      : balanced(method, network, {
          data: { samples: recordedSamples([100, 101, 102, 103], training) },
          validation: () => [104, 105, 106].map((later) => recordedBatch(later, training)),
        });
  const trainer = new MultiObjectiveTrainer<tf.NamedTensorMap, string>({
    objectives: (batch, mode) => network.objectives(batch, batch['label'] as tf.Tensor1D, mode),
    ...balance?.options,
    variables: network.trainableVariables,
    parts: network.parts,
    strategy: sum(),
    optimizer,
  });
  const losses: number[][] = [];
  let step = 0;
  try {
    await trainer.fit(
      () => Array.from({ length: perEpoch }, () => recordedBatch(step++, training)),
      {
        epochs: steps / perEpoch,
        callbacks: [
          ...(balance === null ? [] : [balance.callback]),
          {
            onBatchEnd: (_, { losses: found }: StepReport) =>
              void losses.push(network.objectiveNames.map((name) => found[name]!)),
          },
        ],
      },
    );
    const weights = weightsOf(network);
    const evaluation = recordedBatch(steps, training);
    const evaluated = await trainer.evaluate([evaluation]);
    tf.dispose(evaluation);
    if (training.then === 'begin') await balance!.callback.onEpochBegin!(99);
    if (training.then === 'end') await balance!.callback.onEpochEnd!(20, {});
    return {
      losses,
      weights,
      evaluated: network.objectiveNames.map((name) => evaluated.losses[name]!),
      state: balance?.state(),
      weights_after: weightsOf(network),
    };
  } finally {
    balance?.dispose();
    trainer.dispose();
    optimizer.dispose();
    network.dispose();
  }
}

function weightsOf({
  namedVariables,
}: ReturnType<typeof recordedNetwork>): Record<string, number[]> {
  return Object.fromEntries(
    Array.from(namedVariables, ([name, one]) => [name, [...one.dataSync<'float32'>()]]),
  );
}
