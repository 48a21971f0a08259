import { MultigradError, own } from '@multigrad/core/strategy';
import * as tf from '@tensorflow/tfjs-core';
import { entry } from '../support/by-name.ts';
import type { Draw, SampleSource } from '../contract/data.ts';

/** The entry of a batch that says which samples have a modality's features. */
const maskOf = (modality: string): string => `mask/${modality}`;

/** The masks of features in a batch that {@link drawnSamples} made; null where it has none. */
export function masksIn(
  batch: unknown,
  modalities: readonly string[],
): Record<string, tf.Tensor1D> | null {
  const found = modalities.flatMap((modality) => {
    const mask = own(batch as Readonly<Record<string, tf.Tensor1D>>, maskOf(modality));
    return mask === undefined ? [] : [[modality, mask] as const];
  });
  return found.length === 0 ? null : Object.fromEntries(found);
}

/**
 * The samples that a method drew for an epoch: the same samples in another order and number, with the inputs of some
 * modalities set to zero, or with masks of their features.
 *
 * @throws MultigradError `invalid-data` for a position that is no sample's, or masks of another length
 */
export function drawnSamples<Batch extends tf.NamedTensorMap>(
  samples: SampleSource<Batch>,
  draw: Draw | null,
  method: string,
): SampleSource<Batch> {
  if (draw === null) return samples;
  const { positions, masks = {}, masked: what = 'inputs' } = draw;
  const wrong = positions.find((position) => position < 0 || position >= samples.count);
  const short = Object.entries(masks).find(([, mask]) => mask.length !== positions.length);
  if (wrong !== undefined || short !== undefined || positions.length === 0) {
    throw new MultigradError(
      'invalid-data',
      `\`draw\` of \`${method}\` should give positions from 0 to ${samples.count - 1}, and as many entries of a mask. Found ` +
        (wrong !== undefined
          ? `${wrong}.`
          : `${positions.length} positions${short === undefined ? '' : ` and ${short[1].length} entries for \`${short[0]}\``}.`),
    );
  }
  return {
    count: positions.length,
    batch: async (indices, context) => {
      const batch = await samples.batch(
        indices.map((index) => positions[index]!),
        context,
      );
      const masked = Object.entries(masks).flatMap(([modality, mask]) => {
        const kept = Float32Array.from(indices, (index) => mask[index]!);
        if (what === 'features') return [[maskOf(modality), tf.tensor1d(kept)] as const];
        return kept.every((one) => one === 1)
          ? []
          : [[modality, maskedRows(entry(batch, modality), kept)] as const];
      });
      return { ...batch, ...Object.fromEntries(masked) };
    },
  };
}

/** A tensor with some of its rows set to zero, in the place of the given one, which is freed. @param kept - 1 for rows that stay */
function maskedRows(input: tf.Tensor, kept: Float32Array): tf.Tensor {
  const shape = [kept.length, ...input.shape.slice(1).map(() => 1)];
  const masked = tf.tidy(() =>
    tf.cast(tf.mul(tf.cast(input, 'float32'), tf.tensor(kept, shape)), input.dtype),
  );
  input.dispose();
  return masked;
}
