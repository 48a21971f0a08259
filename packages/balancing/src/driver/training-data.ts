import { randomState, resumeRandom } from '@multigrad/core/strategy';
import * as tf from '@tensorflow/tfjs-core';
import type { LabelledBatch, SampleSource, TrainingData } from '../contract/data.ts';
import type { ByModality } from '../contract/network.ts';

/** The training data outside of steps: samples by their positions, or batches of each epoch. */
export type DataOption<Batch> =
  | {
      readonly samples: SampleSource<Batch>;
      /** Samples in a batch, an integer >= 1. @defaultValue 250 */
      readonly batchSize?: number;
      /** Seed of the samples that are drawn where a method reads a share of them. @defaultValue 0 */
      readonly seed?: number;
    }
  | {
      /** The batches of an epoch, new tensors: the same ones whenever it is called for the same epoch. */
      readonly batches: (epoch: number) => Iterable<Batch> | AsyncIterable<Batch>;
      /** Number of batches in an epoch. */
      readonly count: number;
    };

/** The inputs and the labels of a batch. */
export interface BatchReader<Batch> {
  readonly inputs: (batch: Batch) => ByModality;
  readonly labels: (batch: Batch) => tf.Tensor1D;
}

/** The training data as a method reads them at an epoch. */
export function trainingData<Batch extends tf.TensorContainer>(
  data: DataOption<Batch>,
  reader: BatchReader<Batch>,
  epoch: number,
): TrainingData {
  if ('batches' in data) {
    return { count: null, batches: (share = 1) => read(firstBatches(data, epoch, share), reader) };
  }
  return {
    count: data.samples.count,
    batches: (share = 1) => read(sampleBatches(data, epoch, share), reader),
  };
}

/** Batches as methods read them, made once the first one is asked for: each is freed once the next one is. */
export async function* labelledBatches<Batch extends tf.TensorContainer>(
  batches: () => Iterable<Batch> | AsyncIterable<Batch>,
  reader: BatchReader<Batch>,
): AsyncGenerator<LabelledBatch, void> {
  const withoutPositions = async function* (): AsyncGenerator<Read<Batch>, void> {
    for await (const batch of batches()) yield { batch, positions: null };
  };
  yield* read(withoutPositions(), reader);
}

async function* read<Batch extends tf.TensorContainer>(
  batches: AsyncIterable<Read<Batch>>,
  { inputs, labels }: BatchReader<Batch>,
): AsyncGenerator<LabelledBatch, void> {
  for await (const { batch, positions } of batches) {
    try {
      yield { inputs: inputs(batch), labels: labels(batch), positions };
    } finally {
      tf.dispose(batch);
    }
  }
}

interface Read<Batch> {
  readonly batch: Batch;
  readonly positions: Int32Array | null;
}

async function* firstBatches<Batch>(
  { batches, count }: Extract<DataOption<Batch>, { batches: unknown }>,
  epoch: number,
  share: number,
): AsyncGenerator<Read<Batch>, void> {
  let left = Math.ceil(share * count);
  for await (const batch of batches(epoch)) {
    yield { batch, positions: null };
    left -= 1;
    if (left === 0) return;
  }
}

async function* sampleBatches<Batch>(
  {
    samples,
    batchSize = 250,
    seed = 0,
  }: Extract<DataOption<Batch>, { samples: SampleSource<Batch> }>,
  epoch: number,
  share: number,
): AsyncGenerator<Read<Batch>, void> {
  const order =
    share >= 1
      ? Int32Array.from({ length: samples.count }, (_, i) => i)
      : Int32Array.from(
          resumeRandom(randomState(seed, 'balancing', epoch)).permutation(samples.count),
        ).slice(0, Math.ceil(share * samples.count));
  for (let first = 0; first < order.length; first += batchSize) {
    const positions = order.slice(first, first + batchSize);
    yield { batch: await samples.batch(positions, { epoch }), positions };
  }
}
