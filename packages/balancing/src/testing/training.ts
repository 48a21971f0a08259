import {
  type FitState,
  fusedMomentum,
  MultiObjectiveTrainer,
  resumableBatches,
  type TrainerSnapshot,
  type TrainerState,
} from '@multigrad/core';
import type { GradientStrategy } from '@multigrad/core/strategy';
import {
  multilayerPerceptron,
  multimodalNetwork,
  type MultimodalNetwork,
  type MultimodalNetworkOptions,
} from '@multigrad/models';
import { sum } from '@multigrad/strategy-sum';
import { normalTensor } from '@multigrad/test-support';
import * as tf from '@tensorflow/tfjs-core';
import type { SampleSource } from '../contract/data.ts';
import type { BalancingMethod } from '../contract/method.ts';
import { balanced } from '../driver/balanced.ts';

const [classes, seed, size, batchSize] = [3, 4, 12, 4];
const lengths = { a: 4, b: 3, c: 2 } as const;

/** Weights by name. */
export type Weights = Readonly<Record<string, readonly number[]>>;

/** The fusion of a network. */
export type Fusion = NonNullable<MultimodalNetworkOptions<string, 'joint'>['fusion']>;

/** The exchange between the encoders of a network. */
export type Exchange = MultimodalNetworkOptions<string, 'joint'>['exchange'];

/** A network of two or three modalities, `a`, `b` and `c`; the same one at every call. */
export function smallNetwork(
  modalities: 2 | 3 = 2,
  fusion: Fusion = 'concatenation',
  features?: number,
  exchange?: Exchange,
): MultimodalNetwork<string, 'joint'> {
  const names = (['a', 'b', 'c'] as const).slice(0, modalities);
  return multimodalNetwork({
    encoders: Object.fromEntries(
      names.map((name) => [
        name,
        multilayerPerceptron({
          name,
          shape: [lengths[name]],
          hidden: [5],
          features: features ?? (fusion === 'concatenation' ? lengths[name] : 4),
          seed,
        }),
      ]),
    ),
    fusion,
    ...(exchange === undefined ? {} : { exchange }),
    classes,
    jointName: 'joint',
    seed,
  });
}

/** Samples in memory whose modalities tell the class more and less plainly; they are numbers, no tensors. */
export function smallSamples(from: number, count: number = size): SampleSource<tf.NamedTensorMap> {
  const labels = Int32Array.from({ length: count }, (_, i) => (i === count - 1 ? -1 : i % classes));
  const tables = Object.fromEntries(
    Object.entries(lengths).map(([name, length], k) => {
      const noise = tf.tidy(() =>
        normalTensor([count, length], from + k)
          .dataSync()
          .slice(),
      );
      return [
        name,
        noise.map((value, i) => value + (labels[Math.floor(i / length)]! * (2 - k)) / 2),
      ];
    }),
  );
  return {
    count,
    batch: (indices) => ({
      ...Object.fromEntries(
        Object.entries(lengths).map(([name, length]) => {
          const rows = Array.from(indices, (i) => [
            ...tables[name]!.subarray(i * length, (i + 1) * length),
          ]);
          return [name, tf.tensor2d(rows, [rows.length, length])];
        }),
      ),
      label: tf.tensor1d(
        Array.from(indices, (i) => labels[i]!),
        'int32',
      ),
    }),
  };
}

/** Samples in batches, in their order. */
export async function* inBatches(
  samples: SampleSource<tf.NamedTensorMap>,
  epoch = 0,
  firstBatch = 0,
): AsyncGenerator<tf.NamedTensorMap, void> {
  for (let first = firstBatch * batchSize; first < samples.count; first += batchSize) {
    const length = Math.min(batchSize, samples.count - first);
    yield await samples.batch(
      Int32Array.from({ length }, (_, i) => first + i),
      { epoch },
    );
  }
}

/** How a small network is trained. */
export interface SmallTraining {
  /** Null for training without balancing. */
  readonly method: BalancingMethod | null;
  readonly modalities?: 2 | 3;
  readonly fusion?: Fusion;
  readonly strategy?: GradientStrategy;
  readonly epochs?: number;
  readonly rate?: number;
  readonly features?: number;
  readonly exchange?: Exchange;
  /** Ends training after this step, and returns a snapshot as a file would hold it. */
  readonly stopAfter?: number;
  /** Goes on from a snapshot. */
  readonly from?: SavedSnapshot;
}

/** A snapshot as a file would hold it: it shares nothing with a trainer, and has no tensors to free. */
export interface SavedSnapshot {
  readonly state: string;
  readonly tensors: readonly (readonly [string, readonly number[], Float32Array])[];
}

/** What a training ended with. */
export interface TrainedSmall {
  readonly weights: Weights;
  readonly state: unknown;
  readonly logs: Readonly<Record<string, readonly number[]>>;
  readonly saved: SavedSnapshot | null;
}

/** Trains a small network for some epochs of three steps, with all that a method may need. */
export async function trainSmall({
  method,
  modalities = 2,
  fusion = 'concatenation',
  strategy = sum(),
  epochs = 3,
  rate = 0.1,
  features,
  exchange,
  stopAfter,
  from,
}: SmallTraining): Promise<TrainedSmall> {
  const network = smallNetwork(modalities, fusion, features, exchange);
  const [samples, validation] = [smallSamples(1), smallSamples(100)];
  const balance =
    method === null
      ? null
      : balanced(method, network, {
          data: { samples, batchSize },
          validation: () => inBatches(validation),
        });
  const variables = new Map(
    [...network.namedVariables].filter(([, one]) => network.trainableVariables.includes(one)),
  );
  const optimizer = fusedMomentum(variables, { learningRate: rate, momentum: 0.5 });
  const trainer = new MultiObjectiveTrainer<tf.NamedTensorMap, string>({
    objectives: (batch, mode) => network.objectives(batch, batch['label'] as tf.Tensor1D, mode),
    ...balance?.options,
    variables,
    parts: network.parts,
    strategy,
    optimizer,
    weightDecay: 0.01,
  });
  let saved: SavedSnapshot | null = null;
  try {
    const resume = from === undefined ? null : restored(trainer, from);
    const batches = resumableBatches((epoch, firstBatch) =>
      inBatches(balance?.samples(samples, epoch) ?? samples, epoch, firstBatch),
    );
    const { history } = await trainer.fit(batches, {
      epochs,
      resume,
      callbacks: [
        ...(balance === null ? [] : [balance.callback]),
        {
          onSafePoint: async ({ step, logs, snapshot }) => {
            if (step !== stopAfter || logs !== null) return;
            saved = savedOf(await snapshot());
            trainer.stop();
          },
        },
      ],
    });
    const weights = Object.fromEntries(
      Array.from(network.namedVariables, ([name, one]) => [name, [...one.dataSync()]]),
    );
    return { weights, state: balance?.state() ?? null, logs: history, saved };
  } finally {
    trainer.dispose();
    optimizer.dispose();
    balance?.dispose();
    network.dispose();
  }
}

function savedOf({ state, tensors }: TrainerSnapshot): SavedSnapshot {
  return {
    state: JSON.stringify(state),
    tensors: Array.from(tensors, ([name, one]) => [
      name,
      one.shape,
      one.dataSync<'float32'>().slice(),
    ]),
  };
}

function restored(
  trainer: MultiObjectiveTrainer<tf.NamedTensorMap, string>,
  { state, tensors }: SavedSnapshot,
): FitState | null {
  const made = new Map(
    tensors.map(([name, shape, values]) => [name, tf.tensor(values, [...shape])] as const),
  );
  try {
    return trainer.restore({ state: JSON.parse(state) as TrainerState, tensors: made });
  } finally {
    tf.dispose([...made.values()]);
  }
}
