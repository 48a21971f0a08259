import { type OptionsOf, resolveOptions } from '@multigrad/core/strategy';
import {
  input,
  layers,
  type LayersModel,
  model,
  type SymbolicTensor,
} from '@tensorflow/tfjs-layers';
import { assertLayerName } from '../layer-names.ts';
import { FoldFrames, UnfoldFrames } from '../layers/frames.ts';
import { GlobalAverage } from '../layers/global-average.ts';
import { assertPresent, countOption } from '../option-specs.ts';
import { chain, SeededLayers } from '../weights/seeded-layers.ts';
import { residualBlock } from './residual-block.ts';
import { stage } from './stage.ts';

/** Descriptions of the options of {@link resnet18} that have a default. */
const resnet18Options = {
  /**
   * Frames of a sample, an integer >= 1. With more than one, samples are frames × height × width × channels; each frame
   * goes through the same weights, and feature vectors are averaged over frames.
   *
   * @defaultValue 1
   */
  frames: {
    kind: 'number',
    default: 1,
    minimum: 1,
    integer: true,
    description: 'Frames of a sample, an integer >= 1.',
  },
  /**
   * The first layers: `imagenet`: conv 7×7 / 2 and max-pool 3×3 / 2; `small`: conv 3×3 alone, for images of 32 or 64
   * pixels.
   *
   * @defaultValue 'imagenet'
   */
  stem: {
    kind: 'choice',
    default: 'imagenet',
    choices: ['imagenet', 'small'],
    description: 'Conv 7×7 / 2 with max-pool, or conv 3×3 alone for small images.',
  },
  /** Channels of the first stage, an integer >= 1; the feature vector has eight times as many. @defaultValue 64 */
  width: {
    kind: 'number',
    default: 64,
    minimum: 1,
    integer: true,
    description: 'Channels of the first stage, an integer >= 1.',
  },
  /**
   * Whether the features are averaged to one vector; else they stay a map, whose pixels cross-attention takes as tokens.
   *
   * @defaultValue true
   */
  pool: {
    kind: 'boolean',
    default: true,
    description: 'Whether the features are averaged to one vector.',
  },
  /** Seed of the initial weights, an integer >= 0. @defaultValue 0 */
  seed: {
    kind: 'number',
    default: 0,
    minimum: 0,
    integer: true,
    description: 'Seed of the initial weights, an integer >= 0.',
  },
  /** Distribution of the initial weights. @defaultValue 'he' */
  initialisation: {
    kind: 'choice',
    default: 'he',
    choices: ['pytorch', 'he'],
    description: "Distribution of the initial weights: PyTorch's defaults, or He's normal one.",
  },
} as const;

/** Options of {@link resnet18}. */
export interface Resnet18Options extends OptionsOf<typeof resnet18Options> {
  /** The encoder's name, unique in a network; its variables are called `<name>/stem/conv/kernel` and so on. */
  readonly name: string;
  /** Channels of the input images: 3 for colour, 1 for a spectrogram; an integer >= 1. */
  readonly channels: number;
  /** Height of the input images in pixels, an integer >= 1. */
  readonly inputHeight: number;
  /** Width of the input images in pixels, an integer >= 1. */
  readonly inputWidth: number;
}

/**
 * ResNet-18 without its classifier: batch of (frames ×) height × width × channels in, n × 8·width out.
 *
 * Stem → four stages of two basic blocks (width, 2 width, 4 width, 8 width; from the second on with a stride of 2) →
 * global average. Stages: `stem`, `stage1`, …, `stage4`, `average`.
 *
 * @remarks
 * Strided windows follow TensorFlow's `same` padding: on even sizes the odd row and column of padding is at the end,
 * where PyTorch's symmetric padding puts it at the start. Initialisation `he` has variance 2/fan-in, cut off at two
 * deviations; torchvision's has 2/fan-out.
 *
 * @throws MultigradError `invalid-option` for an option out of its range
 *
 * @example
 * ```ts
 * import { resnet18 } from '@multigrad/models';
 * import '@tensorflow/tfjs-backend-cpu';
 * import * as tf from '@tensorflow/tfjs-core';
 *
 * const size = { inputHeight: 16, inputWidth: 16, width: 2, stem: 'small' } as const;
 * const encoder = resnet18({ name: 'video', channels: 3, frames: 2, ...size });
 * console.log((encoder.predict(tf.zeros([1, 2, 16, 16, 3])) as tf.Tensor).shape); // [ 1, 16 ]
 * ```
 *
 * @see He, Zhang, Ren and Sun, "Deep Residual Learning for Image Recognition", CVPR 2016
 * (https://arxiv.org/abs/1512.03385), table 1
 */
export function resnet18({ name, ...given }: Resnet18Options): LayersModel {
  assertLayerName('Option `name` of `resnet18`', name);
  assertPresent('resnet18', given, ['channels', 'inputHeight', 'inputWidth']);
  const options = resolveOptions('resnet18', specs, given);
  const { channels, inputHeight, inputWidth, frames, width } = options;
  const make = new SeededLayers(name, options.seed, options.initialisation);
  const bodies: [string, (x: SymbolicTensor) => SymbolicTensor][] = [
    ['stem', (x) => stem(make, x, options.stem, width)],
  ];
  [1, 2, 4, 8].forEach((factor, k) => {
    const key = `stage${k + 1}`;
    const body = (x: SymbolicTensor): SymbolicTensor => {
      const first = residualBlock(make, `${key}/block1`, x, factor * width, k === 0 ? 1 : 2);
      return residualBlock(make, `${key}/block2`, first, factor * width, 1);
    };
    bodies.push([key, body]);
  });
  const size = [inputHeight, inputWidth, channels];
  const image = input({
    name: make.name('image'),
    shape: frames === 1 ? size : [frames, ...size],
  });
  let tensor = image;
  for (const [key, body] of bodies) {
    const part = stage(make.name(key), tensor.shape.slice(1), (x) =>
      frames === 1 ? body(x) : onEveryFrame(make.name(key), frames, x, body),
    );
    tensor = part.apply(tensor) as SymbolicTensor;
  }
  const pool = options.pool ? [new GlobalAverage({ name: make.name('average') })] : [];
  return model({ name, inputs: image, outputs: chain(tensor, pool) });
}

function stem(
  make: SeededLayers,
  image: SymbolicTensor,
  kind: 'imagenet' | 'small',
  filters: number,
): SymbolicTensor {
  const large = kind === 'imagenet';
  const convolution = make.convolution('stem/conv', image.shape.at(-1)!, {
    filters,
    kernelSize: large ? 7 : 3,
    strides: large ? 2 : 1,
    useBias: false,
  });
  const pool = layers.maxPooling2d({
    name: make.name('stem/pool'),
    poolSize: 3,
    strides: 2,
    padding: 'same',
  });
  const rest = [make.norm('stem/norm'), make.relu('stem/relu'), ...(large ? [pool] : [])];
  return chain(image, [convolution, ...rest]);
}

/** Applies `body`, which takes images, to each frame of n × f × h × w × c. */
function onEveryFrame(
  name: string,
  frames: number,
  x: SymbolicTensor,
  body: (x: SymbolicTensor) => SymbolicTensor,
): SymbolicTensor {
  const folded = new FoldFrames({ name: `${name}/fold` }).apply(x) as SymbolicTensor;
  const unfold = new UnfoldFrames({ name: `${name}/unfold`, frames });
  return unfold.apply(body(folded)) as SymbolicTensor;
}

const specs = {
  ...resnet18Options,
  channels: countOption('Channels of the input images', 3),
  inputHeight: countOption('Height of the input images in pixels', 224),
  inputWidth: countOption('Width of the input images in pixels', 224),
};
