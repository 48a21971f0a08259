import * as tf from '@tensorflow/tfjs-core';
import type { BatchSource } from '../batch-source.ts';
import { assertPositions } from '../positions.ts';
import { type Column, gatherNumbers } from './column.ts';

/** All samples as a source of batches. */
export function sourceOf<Batch extends tf.NamedTensorMap>(
  columns: ReadonlyMap<string, Column>,
  count: number,
): BatchSource<Batch> {
  return {
    count,
    batch: async (samples) => {
      // Files are read before any tensor is made: a file that fails leaves none behind.
      const read = await Promise.all(
        Array.from(columns, async ([name, column]) => ({
          name,
          column,
          values: await valuesOf(column, samples),
        })),
      );
      return Object.fromEntries(
        read.map(({ name, column: { kind, shape }, values }) => {
          const dtype = kind === 'classes' ? 'int32' : 'float32';
          return [name, tf.tensor(values, [samples.length, ...shape], dtype)];
        }),
      ) as Batch;
    },
  };
}

async function valuesOf(column: Column, samples: Int32Array): Promise<Float32Array | Int32Array> {
  switch (column.kind) {
    case 'files':
      return column.read(samples);
    case 'classes':
      assertPositions(samples, column.count);
      return samples.map((sample) => column.labels[sample]!);
    case 'numbers':
      return gatherNumbers(column, samples);
  }
}
