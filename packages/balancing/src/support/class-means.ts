import { MultigradError } from '@multigrad/core/strategy';
import * as tf from '@tensorflow/tfjs-core';
import type { LabelledBatch } from '../contract/data.ts';
import type { BalancedNetwork } from '../contract/network.ts';
import { entry, record } from './by-name.ts';

/** Rows of numbers by modality: one for each class. */
export type ClassRows = Readonly<Record<string, readonly (readonly number[])[]>>;

/** Mean feature vectors, and how many samples each class had. */
export interface ClassMeans {
  /** By modality classes × features; an empty row for a class without a sample. */
  readonly means: ClassRows;
  readonly counts: readonly number[];
}

/**
 * The mean feature vector of each class for each modality, with the network in inference mode, added up in float64.
 *
 * @throws MultigradError `invalid-data` for a label out of range
 */
export async function classMeans(
  network: BalancedNetwork,
  batches: AsyncIterable<LabelledBatch>,
): Promise<ClassMeans> {
  const { modalities, classes } = network;
  const counts = new Array<number>(classes).fill(0);
  const sums = record(modalities, () => Array.from({ length: classes }, (): number[] => []));
  for await (const { inputs, labels } of batches) {
    const vectors = tf.tidy(() => ({
      ...network.vectors(network.features(inputs, { training: false })),
    }));
    try {
      const known = await labels.data();
      known.forEach((label) => {
        if (label >= 0) counts[checked(label, classes)]! += 1;
      });
      for (const modality of modalities) {
        const rows = await entry(vectors, modality).array();
        rows.forEach((row, i) => {
          const sum = entry(sums, modality)[known[i]!];
          row.forEach((value, j) => {
            if (sum !== undefined) sum[j] = (sum[j] ?? 0) + value;
          });
        });
      }
    } finally {
      tf.dispose(vectors);
    }
  }
  const means = record(modalities, (modality) =>
    entry(sums, modality).map((sum, c) => sum.map((value) => value / counts[c]!)),
  );
  return { means, counts };
}

function checked(label: number, classes: number): number {
  if (label < classes) return label;
  throw new MultigradError(
    'invalid-data',
    `Labels should be integers from 0 to ${classes - 1}, or -1 for a missing one. Found ${label}.`,
  );
}
