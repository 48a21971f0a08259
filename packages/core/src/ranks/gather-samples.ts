import { customGrad, type Tensor, tensor } from '@tensorflow/tfjs-core';
import { MultigradError } from '../base/errors.ts';
import { gradientFromSums } from '../tape/deferred-sums.ts';
import { currentShare } from './current-share.ts';

/**
 * The features of the samples of all ranks, in the order of the whole batch, within the forward pass of a training step: for
 * losses that compare each sample with all others, as contrastive ones do. In a process by itself the features as they are.
 *
 * Each rank computes the losses of its own samples against all features, or the loss of the whole batch: in both cases the
 * step is that of one process with the whole batch. Gradients flow to the features of every rank. All ranks have to call it at
 * the same points of their forward passes, and the trainer needs the option `synchronise`.
 *
 * @param features - of this rank's samples, along the first axis; float32
 * @returns [samples of all ranks, …]
 * @throws MultigradError `invalid-option` among ranks without the option `synchronise`
 *
 * @example
 * ```ts
 * import { gatherSamples } from '@multigrad/core';
 * import * as tf from '@tensorflow/tfjs-core';
 * import '@tensorflow/tfjs-backend-cpu';
 *
 * const features = tf.tensor2d([[1, 0], [0, 1]]);
 * console.log(gatherSamples(features).shape); // [ 2, 2 ]
 * ```
 */
export function gatherSamples<T extends Tensor>(features: T): T {
  const share = currentShare();
  const [own = 0, ...rest] = features.shape;
  const { firstSample = 0, totalSamples: total = own, sumNow = null } = share ?? {};
  if (total === own) return features;
  if (sumNow === null) {
    throw new MultigradError(
      'invalid-option',
      'The features of all ranks need the option `synchronise` of the trainer. Found none.',
    );
  }
  const width = rest.reduce((product, side) => product * side, 1);
  const begin = firstSample * width;
  const gather = customGrad((...inputs: unknown[]) => {
    const [input] = inputs as [Tensor];
    // Sums with zeros: the numbers of every rank, bit for bit.
    const all = new Float64Array(total * width);
    all.set(input.dataSync<'float32'>(), begin);
    sumNow(all);
    return {
      value: tensor(Float32Array.from(all), [total, ...rest], 'float32'),
      gradFunc: (gradient: Tensor) =>
        gradientFromSums(Float64Array.from(gradient.dataSync<'float32'>()), sumNow, (sums) =>
          tensor(Float32Array.from(sums.subarray(begin, begin + own * width)), [own, ...rest]),
        ),
    };
  });
  return gather(features) as T;
}
