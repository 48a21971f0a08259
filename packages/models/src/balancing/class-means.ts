import { MultigradError } from '@multigrad/core/strategy';
import * as tf from '@tensorflow/tfjs-core';
import { missingLabel } from '../losses/labels.ts';
import type { MultimodalNetwork } from '../networks/multimodal-network.ts';

/** A batch of labelled samples of all modalities. */
export type LabelledBatch<Modality extends string> = Readonly<Record<Modality, tf.Tensor>> & {
  readonly label: tf.Tensor1D;
};

/** Batches in memory, or batches that are read one after the other. */
export type LabelledBatches<Modality extends string> =
  Iterable<LabelledBatch<Modality>> | AsyncIterable<LabelledBatch<Modality>>;

/**
 * The mean feature vector of each class for each modality, with the network in inference mode: by modality classes ×
 * features, added up in float64.
 *
 * @param fallback - what to take for a class without a sample; null for none
 * @throws MultigradError `invalid-data` for a class without a sample and without a fallback
 */
export async function averageFeatures<Modality extends string, Joint extends string>(
  network: MultimodalNetwork<Modality, Joint>,
  batches: LabelledBatches<Modality>,
  fallback: readonly (readonly (readonly number[])[])[] | null,
): Promise<number[][][]> {
  const { modalities, classes } = network;
  const counts = new Array<number>(classes).fill(0);
  const sums = modalities.map(() => Array.from({ length: classes }, (): number[] => []));
  for await (const batch of batches) {
    const vectors = tf.tidy(() => network.vectors(network.features(batch, { training: false })));
    try {
      const labels = await batch.label.data();
      labels.forEach((label) => {
        if (label !== missingLabel) counts[label] = (counts[label] ?? 0) + 1;
      });
      for (const [m, modality] of modalities.entries()) {
        const rows = await vectors[modality].array();
        rows.forEach((row, i) => {
          const sum = sums[m]![labels[i]!];
          if (sum === undefined) return;
          row.forEach((value, j) => (sum[j] = (sum[j] ?? 0) + value));
        });
      }
    } finally {
      tf.dispose(vectors);
    }
  }
  const absent = counts.indexOf(0);
  if (absent >= 0 && fallback === null) {
    throw new MultigradError(
      'invalid-data',
      `Prototypes need a sample of each of the ${classes} classes. Found none of class ${absent} among ` +
        `${counts.reduce((total, count) => total + count, 0)} labelled samples: give more batches.`,
    );
  }
  return sums.map((ofClass, m) =>
    ofClass.map((sum, label) =>
      counts[label]! > 0 ? sum.map((value) => value / counts[label]!) : [...fallback![m]![label]!],
    ),
  );
}
