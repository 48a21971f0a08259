import { MultigradError, own } from '@multigrad/core/strategy';
import * as tf from '@tensorflow/tfjs-core';
import { describeInput } from './describe-input.ts';
import { drawn } from './drawn.ts';

/**
 * The mean sample of each modality, number by number, over batches: masks for {@link modalityContributions}. Of the
 * training set it is what stands for "nothing known" without leaving the range of the data.
 *
 * @param batches - batches of an array stay the caller's; others are freed once used. Other entries are left aside
 * @returns a tensor of a sample's shape for each modality, float32, which belongs to the caller
 * @throws MultigradError `invalid-data` for no batch, or a modality that is no float32 tensor of the same sample shape in
 *   each batch: token numbers have no mean
 *
 * @example
 * ```ts
 * import { modalityMeans } from '@multigrad/models';
 * import '@tensorflow/tfjs-backend-cpu';
 * import * as tf from '@tensorflow/tfjs-core';
 *
 * const batches = [
 *   { image: tf.tensor2d([[0, 2], [2, 4]]), audio: tf.tensor2d([[1], [1]]) },
 *   { image: tf.tensor2d([[4, 6]]), audio: tf.tensor2d([[4]]) },
 * ];
 * const means = await modalityMeans(batches, ['image', 'audio']);
 * console.log(means.image.arraySync(), means.audio.arraySync()); // [ 2, 4 ] [ 2 ]
 * ```
 */
export async function modalityMeans<Modality extends string>(
  batches:
    | Iterable<Readonly<Record<NoInfer<Modality>, tf.Tensor>>>
    | AsyncIterable<Readonly<Record<NoInfer<Modality>, tf.Tensor>>>,
  modalities: readonly Modality[],
): Promise<Record<Modality, tf.Tensor>> {
  const sums = new Map<
    Modality,
    { readonly shape: readonly number[]; readonly sum: Float64Array }
  >();
  let samples = 0;
  for await (const batch of drawn(batches)) {
    let size = 0;
    for (const modality of modalities) {
      const input: unknown = own(batch as Readonly<Record<string, unknown>>, modality);
      const before = sums.get(modality);
      const tensor = input instanceof tf.Tensor ? (input as tf.Tensor) : null;
      const fits =
        tensor?.dtype === 'float32' &&
        tensor.rank >= 1 &&
        (before === undefined || tf.util.arraysEqual(tensor.shape.slice(1), [...before.shape]));
      if (!fits) throw noMean(modality, input, before?.shape);
      const shape = tensor.shape.slice(1);
      const { sum } = before ?? { sum: new Float64Array(tf.util.sizeFromShape(shape)) };
      sums.set(modality, { shape, sum });
      const values = await tensor.data();
      values.forEach((value, i) => (sum[i % sum.length]! += value));
      size = tensor.shape[0]!;
    }
    samples += size;
  }
  if (samples === 0) {
    throw new MultigradError(
      'invalid-data',
      '`modalityMeans` should get at least one batch with a sample. Found none.',
    );
  }
  return Object.fromEntries(
    modalities.map((modality) => {
      const { shape, sum } = sums.get(modality)!;
      return [
        modality,
        tf.tensor(
          Float32Array.from(sum, (value) => value / samples),
          [...shape],
        ),
      ];
    }),
  ) as Record<Modality, tf.Tensor>;
}

function noMean(
  modality: string,
  input: unknown,
  shape: readonly number[] | undefined,
): MultigradError {
  return new MultigradError(
    'invalid-data',
    `\`modalityMeans\` should find in each batch a tensor of \`${modality}\`, float32 ` +
      `[${['n', ...(shape ?? ['…'])].join(', ')}]. Found ${describeInput(input)}.`,
  );
}
