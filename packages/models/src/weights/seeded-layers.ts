import { layers, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { batchNormalization, normDefaults } from '../layers/batch-normalization.ts';
import { convolution } from '../layers/convolution.ts';
import { NormalizedSum } from '../layers/normalized-sum.ts';
import { registerLayers } from '../layers/register-layers.ts';
import { type Initialisation, layerInitializers } from './initialisation.ts';

/** A convolution's options. */
export interface ConvolutionOptions {
  readonly filters: number;
  readonly kernelSize: number;
  readonly strides?: number;
  /** @defaultValue 'same' */
  readonly padding?: 'same' | 'valid';
  readonly activation?: 'relu';
  /** False where a batch norm follows, which has a shift of its own. */
  readonly useBias?: boolean;
}

/**
 * Makes the layers of one part: called `<part>/<layer>`, with initial weights that depend on the seed and that name.
 */
export class SeededLayers {
  readonly #part: string;
  readonly #seed: number;
  readonly #initialisation: Initialisation;

  constructor(part: string, seed: number, initialisation: Initialisation) {
    registerLayers();
    this.#part = part;
    this.#seed = seed;
    this.#initialisation = initialisation;
  }

  /** The full name of a layer. */
  name(layer: string): string {
    return `${this.#part}/${layer}`;
  }

  /** A dense layer. `fanIn` is the number of its inputs. */
  dense(layer: string, fanIn: number, units: number, activation?: Activation): layers.Layer {
    return layers.dense({
      name: this.name(layer),
      units,
      ...(activation === undefined ? {} : { activation }),
      ...this.initializers(layer, fanIn),
    });
  }

  /** A two-dimensional convolution of an input with `channels` channels. */
  convolution(layer: string, channels: number, options: ConvolutionOptions): layers.Layer {
    const { kernelSize } = options;
    return convolution({
      name: this.name(layer),
      padding: 'same',
      ...options,
      ...this.initializers(layer, kernelSize * kernelSize * channels),
    });
  }

  /** A one-dimensional convolution of an input with `channels` channels. */
  convolution1d(layer: string, channels: number, options: ConvolutionOptions): layers.Layer {
    return layers.conv1d({
      name: this.name(layer),
      padding: 'same',
      ...options,
      ...this.initializers(layer, options.kernelSize * channels),
    });
  }

  /** A batch normalization. */
  norm(layer: string): layers.Layer {
    return batchNormalization({ name: this.name(layer) });
  }

  /** The sum of several inputs, each through a batch normalization called `<layer>/<part>`. */
  normalizedSum(layer: string, parts: readonly string[]): layers.Layer {
    return new NormalizedSum({ name: this.name(layer), parts, ...normDefaults });
  }

  /** A ReLU as a layer of its own. */
  relu(layer: string): layers.Layer {
    return layers.activation({ name: this.name(layer), activation: 'relu' });
  }

  /** The initializers of kernel and bias of a layer whose units have `fanIn` inputs. */
  initializers(layer: string, fanIn: number): ReturnType<typeof layerInitializers> {
    return layerInitializers(this.#initialisation, fanIn, this.#seed, this.name(layer));
  }

  /** Configuration of a layer that draws its own weights. */
  config(layer: string): { name: string; seed: number; initialisation: Initialisation } {
    return { name: this.name(layer), seed: this.#seed, initialisation: this.#initialisation };
  }
}

type Activation = 'relu' | 'gelu' | 'sigmoid' | 'tanh' | 'softmax';

/** Layers one after the other. */
export function chain(from: SymbolicTensor, through: readonly layers.Layer[]): SymbolicTensor {
  return through.reduce((tensor, layer) => layer.apply(tensor) as SymbolicTensor, from);
}
