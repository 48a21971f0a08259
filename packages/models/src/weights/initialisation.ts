import { randomState, resumeRandom } from '@multigrad/core/strategy';
import { initializers, type layers } from '@tensorflow/tfjs-layers';

/**
 * Distribution of the initial weights of a layer with f inputs to each unit (for a convolution: height · width ·
 * channels):
 *
 * - `pytorch`: kernel and bias uniform on ± 1/√f, the defaults of PyTorch's `Conv2d` and `Linear`
 * - `he`: kernel normal with variance 2/f, cut off at two deviations; bias zero
 */
export type Initialisation = 'pytorch' | 'he';

type Initializer = NonNullable<Parameters<layers.Layer['addWeight']>[3]>;

/** Initialisers of one layer, each with a stream of random numbers of its own. */
export interface LayerInitializers {
  readonly kernelInitializer: Initializer;
  readonly biasInitializer: Initializer;
}

/**
 * Initialisers for the kernel and the bias of the layer called `layer`, whose units have `fanIn` inputs.
 *
 * The numbers depend on `seed` and the layer's name: layers differ, and networks of the same seed agree.
 */
export function layerInitializers(
  kind: Initialisation,
  fanIn: number,
  seed: number,
  layer: string,
): LayerInitializers {
  const kernelSeed = initializerSeed(seed, `${layer}/kernel`);
  if (kind === 'he') {
    return {
      kernelInitializer: initializers.heNormal({ seed: kernelSeed }),
      biasInitializer: initializers.zeros(),
    };
  }
  const bound = 1 / Math.sqrt(fanIn);
  return {
    kernelInitializer: initializers.randomUniform({
      minval: -bound,
      maxval: bound,
      seed: kernelSeed,
    }),
    biasInitializer: initializers.randomUniform({
      minval: -bound,
      maxval: bound,
      seed: initializerSeed(seed, `${layer}/bias`),
    }),
  };
}

/** A seed for one weight, from 1 to 2³¹ − 1: TensorFlow.js takes a seed of 0 for "none" and would draw its own. */
export function initializerSeed(seed: number, weight: string): number {
  return 1 + resumeRandom(randomState(seed, 'initialisation', weight)).integer(2 ** 31 - 1);
}
