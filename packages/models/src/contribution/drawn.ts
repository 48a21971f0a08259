import * as tf from '@tensorflow/tfjs-core';

/** Batches one after the other: those of an array stay the caller's, others are freed once the next one is asked for. */
export async function* drawn<Batch extends object>(
  batches: Iterable<Batch> | AsyncIterable<Batch>,
): AsyncGenerator<Batch, void> {
  const kept = Array.isArray(batches);
  for await (const batch of batches) {
    try {
      yield batch;
    } finally {
      if (!kept) tf.dispose(batch as tf.TensorContainer);
    }
  }
}
