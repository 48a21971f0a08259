import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  MultigradError,
  type OptionsOf,
  randomState,
  resolveOptions,
  resumeRandom,
} from '@multigrad/core/strategy';
import * as tf from '@tensorflow/tfjs-core';
import type { BatchSource } from './batch-source.ts';
import { picturesIn } from './clip-list.ts';
import { decodeImage, loadDecoder } from './decode-image.ts';
import { assertPositions } from './positions.ts';

/** Descriptions of the options of {@link readModelnet40} that have a default. */
const readModelnet40Options = {
  /** Number of the front view among a shape's views, an integer >= 0. @defaultValue 1 */
  front: {
    kind: 'number',
    default: 1,
    minimum: 0,
    integer: true,
    description: 'Number of the front view, an integer >= 0.',
  },
  /** Number of the rear view, an integer >= 0. @defaultValue 7 */
  rear: {
    kind: 'number',
    default: 7,
    minimum: 0,
    integer: true,
    description: 'Number of the rear view, an integer >= 0.',
  },
  /** Height and width of a view in pixels, an integer >= 1. @defaultValue 224 */
  size: {
    kind: 'number',
    default: 224,
    minimum: 1,
    integer: true,
    description: 'Height and width of a view in pixels, an integer >= 1.',
  },
  /** Seed of crops and flips in training, an integer >= 0. @defaultValue 0 */
  seed: {
    kind: 'number',
    default: 0,
    minimum: 0,
    integer: true,
    description: 'Seed of crops and flips in training, an integer >= 0.',
  },
} as const;

/** Options of {@link readModelnet40}. */
export interface ReadModelnet40Options extends OptionsOf<typeof readModelnet40Options> {
  /** Folder of your copy: `<class>/train` and `<class>/test` with pictures. */
  readonly folder: string;
}

/** A batch of n shapes, each seen from two sides. */
export type ShapeBatch = Readonly<{
  /** n × size × size × 3, float32, by ImageNet's means and deviations. */
  front: tf.Tensor4D;
  /** n × size × size × 3. */
  rear: tf.Tensor4D;
  /** n labels, int32. */
  label: tf.Tensor1D;
}>;

/** Shapes for training and testing, and the names of their classes in the order of their labels. */
export interface ShapeSets {
  readonly train: BatchSource<ShapeBatch>;
  readonly test: BatchSource<ShapeBatch>;
  readonly classes: readonly string[];
}

interface Shape {
  readonly label: number;
  readonly front: string;
  readonly rear: string;
}

const viewPattern = /^(.+)[._](\d+)\.(?:png|jpe?g)$/i;

/**
 * Reads ModelNet40 as rendered views from your copy (Node): shapes of forty classes, each seen from front and rear as two
 * modalities.
 *
 * Layout, that of multi-view networks: `<class>/<train or test>/<shape>_<view>.png`, views counted around the shape; of
 * twelve, 1 and 7 are opposite. Classes get their labels in alphabetical order. In training both views are cropped and
 * flipped at random, each on its own.
 *
 * @throws MultigradError `io` for a folder without classes or a class without pictures, `invalid-data` for shapes that
 * lack one of the two views; when a batch is made, `invalid-data` for a file that is no image and `unsupported` without the
 * package `sharp`
 *
 * @example
 * ```ts
 * import { MultigradError } from '@multigrad/core/strategy';
 * import { readModelnet40 } from '@multigrad/datasets';
 *
 * try {
 *   const { train, classes } = await readModelnet40({ folder: 'my-copy-of-modelnet40-views' });
 *   console.log(train.count, classes.length);
 * } catch (error) {
 *   console.log(MultigradError.isInstance(error), String(error));
 * }
 * ```
 *
 * @see Wu, Song, Khosla, Yu, Zhang, Tang and Xiao, "3D ShapeNets", CVPR 2015; the views: Su, Maji, Kalogerakis and
 * Learned-Miller, "Multi-view Convolutional Neural Networks for 3D Shape Recognition", ICCV 2015
 */
export async function readModelnet40({
  folder,
  ...given
}: ReadModelnet40Options): Promise<ShapeSets> {
  const options = resolveOptions('readModelnet40', readModelnet40Options, given);
  const classes = await classFolders(folder);
  const shapes = async (split: 'train' | 'test'): Promise<Shape[]> => {
    const each = classes.map((name, label) =>
      shapesIn(join(folder, name, split), label, options.front, options.rear),
    );
    return (await Promise.all(each)).flat();
  };
  const source = (all: readonly Shape[], training: boolean): BatchSource<ShapeBatch> => ({
    count: all.length,
    batch: (indices, { epoch }) =>
      makeBatch(all, indices, options.size, (index, side) =>
        training ? resumeRandom(randomState(options.seed, 'shape', epoch, index, side)) : null,
      ),
  });
  return {
    train: source(await shapes('train'), true),
    test: source(await shapes('test'), false),
    classes,
  };
}

async function classFolders(folder: string): Promise<string[]> {
  let names: string[] = [];
  let why: unknown;
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  } catch (cause) {
    why = cause;
  }
  if (names.length > 0) return names.sort();
  throw new MultigradError(
    'io',
    `Expected a folder for each class of ModelNet40 in ${folder}, with \`train\` and \`test\` below. Found none` +
      `${why instanceof Error ? ` (${why.message})` : ''}. The shapes are at https://modelnet.cs.princeton.edu, rendered ` +
      'views at https://github.com/jongchyisu/mvcnn_pytorch.',
    { cause: why },
  );
}

async function shapesIn(
  folder: string,
  label: number,
  front: number,
  rear: number,
): Promise<Shape[]> {
  const views = new Map<string, Map<number, string>>();
  for (const file of await picturesIn(folder)) {
    const match = viewPattern.exec(file);
    if (match === null) continue;
    const [, shape, view] = match;
    const seen = views.get(shape!) ?? new Map<number, string>();
    views.set(shape!, seen.set(Number(view), join(folder, file)));
  }
  if (views.size === 0) {
    throw new MultigradError(
      'io',
      `Expected pictures called <shape>_<view>.png in ${folder}. Found none.`,
    );
  }
  return Array.from(views, ([shape, seen]) => {
    const [first, second] = [seen.get(front), seen.get(rear)];
    if (first !== undefined && second !== undefined) return { label, front: first, rear: second };
    throw new MultigradError(
      'invalid-data',
      `${folder}: expected the views ${front} and ${rear} of each shape. Found ${[...seen.keys()].join(', ')} of ${shape}.`,
    );
  });
}

async function makeBatch(
  shapes: readonly Shape[],
  indices: Int32Array,
  size: number,
  randomOf: (index: number, side: 'front' | 'rear') => ReturnType<typeof resumeRandom> | null,
): Promise<ShapeBatch> {
  assertPositions(indices, shapes.length);
  const chosen = Array.from(indices, (index) => ({ shape: shapes[index]!, index }));
  const decoder = await loadDecoder();
  const pixels = size * size * 3;
  const view = async (side: 'front' | 'rear'): Promise<Float32Array> => {
    const values = new Float32Array(chosen.length * pixels);
    const decode = chosen.map(async ({ shape, index }, position) => {
      const random = randomOf(index, side);
      values.set(await decodeImage(decoder, shape[side], { size, random }), position * pixels);
    });
    await Promise.all(decode);
    return values;
  };
  const [front, rear] = await Promise.all([view('front'), view('rear')]);
  const shape = [chosen.length, size, size, 3] as [number, number, number, number];
  return {
    front: tf.tensor4d(front, shape),
    rear: tf.tensor4d(rear, shape),
    label: tf.tensor1d(
      chosen.map((one) => one.shape.label),
      'int32',
    ),
  };
}
