import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MultigradError } from '@multigrad/core/strategy';
import * as tf from '@tensorflow/tfjs-core';
import type { BatchSource } from './batch-source.ts';
import { type NpyArray, parseNpy } from './npy.ts';
import { assertPositions } from './positions.ts';

/** Options of {@link readNyuv2}. */
export interface ReadNyuv2Options {
  /** The folder with `train` and `val`. */
  readonly folder: string;
}

/** Options of {@link readCityscapes}. */
export interface ReadCityscapesOptions {
  /** The folder with `train` and `val`. */
  readonly folder: string;
  /** The folder of the classes within each, such as `label_7` or `label_19`. @defaultValue 'label_7' */
  readonly labels?: string;
}

/** A batch of n pictures with targets at every pixel. */
export type DenseBatch = Readonly<{
  /** n × height × width × 3, float32 as in the files. */
  image: tf.Tensor4D;
  /** n × height × width, int32; −1 where the class is not known. */
  segmentation: tf.Tensor3D;
  /** n × height × width, float32; NaN where the depth is not known (0 in the files). */
  depth: tf.Tensor3D;
}>;

/** The same with the directions of surfaces. */
export type Nyuv2Batch = DenseBatch &
  Readonly<{
    /** n × height × width × 3, float32; NaN where the depth is not known. */
    normal: tf.Tensor4D;
  }>;

/** Pictures on disk, read a batch at a time, for training and for validation. */
export interface DenseSets<Batch extends DenseBatch> {
  readonly train: BatchSource<Batch>;
  readonly validation: BatchSource<Batch>;
}

/**
 * NYUv2 with 13 classes, depth and surface normals, from your own copy in the layout of MTAN and LibMTL: `train` and `val`,
 * each with `image`, `label`, `depth` and `normal`, each with `0.npy`, `1.npy`, …
 *
 * @throws MultigradError `invalid-data` for a folder that lacks files, and as a batch is read for files of another shape
 *
 * @example
 * ```ts no-run
 * import { readNyuv2 } from '@multigrad/datasets';
 *
 * const { train } = await readNyuv2({ folder: 'nyuv2' });
 * console.log(train.count); // 795
 * ```
 *
 * @see Silberman, Hoiem, Kohli and Fergus, "Indoor Segmentation and Support Inference from RGBD Images", ECCV 2012; the layout:
 * Liu, Johns and Davison, "End-to-End Multi-Task Learning with Attention", CVPR 2019
 */
export async function readNyuv2({ folder }: ReadNyuv2Options): Promise<DenseSets<Nyuv2Batch>> {
  const parts = ['image', 'label', 'depth', 'normal'] as const;
  const source = async (set: string): Promise<BatchSource<Nyuv2Batch>> => {
    const count = await countOf(join(folder, set), parts);
    return {
      count,
      async batch(indices) {
        const [images, labels, depths, normals] = await filesOf(
          join(folder, set),
          parts,
          indices,
          count,
        );
        return tf.tidy(() => {
          const { depth, ...rest } = denseBatch(images!, labels!, depths!);
          const normal = stacked(normals!, 'normal', images!, 3) as tf.Tensor4D;
          const unknown = tf.isNaN(tf.expandDims(depth, 3));
          return {
            ...rest,
            depth,
            normal: tf.where<tf.Tensor4D>(unknown, tf.fill<tf.Rank.R4>(normal.shape, NaN), normal),
          };
        });
      },
    };
  };
  return { train: await source('train'), validation: await source('val') };
}

/**
 * Cityscapes with classes and inverse depth, from your own copy in the layout of MTAN: `train` and `val`, each with `image`,
 * `label_7` (or another folder of classes) and `depth`, each with `0.npy`, `1.npy`, …
 *
 * @throws MultigradError `invalid-data` for a folder that lacks files, and as a batch is read for files of another shape
 *
 * @example
 * ```ts no-run
 * import { readCityscapes } from '@multigrad/datasets';
 *
 * const { train, validation } = await readCityscapes({ folder: 'cityscapes' });
 * console.log(train.count, validation.count); // 2975 500
 * ```
 *
 * @see Cordts et al., "The Cityscapes Dataset for Semantic Urban Scene Understanding", CVPR 2016
 * (https://arxiv.org/abs/1604.01685); the layout: Liu, Johns and Davison, CVPR 2019
 */
export async function readCityscapes({
  folder,
  labels: classes = 'label_7',
}: ReadCityscapesOptions): Promise<DenseSets<DenseBatch>> {
  const parts = ['image', classes, 'depth'];
  const source = async (set: string): Promise<BatchSource<DenseBatch>> => {
    const count = await countOf(join(folder, set), parts);
    return {
      count,
      async batch(indices) {
        const [images, labels, depths] = await filesOf(join(folder, set), parts, indices, count);
        return tf.tidy(() => denseBatch(images!, labels!, depths!));
      },
    };
  };
  return { train: await source('train'), validation: await source('val') };
}

/** The number of samples of a folder: its parts have the same files, 0.npy, 1.npy, … */
async function countOf(folder: string, parts: readonly string[]): Promise<number> {
  let count: number | null = null;
  for (const part of parts) {
    const path = join(folder, part);
    const names = new Set(
      await readdir(path).catch((cause: unknown) => {
        throw new MultigradError('invalid-data', `${path}: expected a folder of .npy files.`, {
          cause,
        });
      }),
    );
    const found = [...names].filter((name) => name.endsWith('.npy')).length;
    const expected: number = count ?? found;
    const missing = Array.from({ length: expected }, (_, k) => `${k}.npy`).find(
      (name) => !names.has(name),
    );
    if (expected === 0 || found !== expected || missing !== undefined) {
      throw new MultigradError(
        'invalid-data',
        `${path}: expected ${count === null ? 'files' : `${count} files`} 0.npy, 1.npy and so on. ` +
          `Found ${found}${missing === undefined ? '' : ` without ${missing}`}.`,
      );
    }
    count = expected;
  }
  return count!;
}

/** The arrays of some samples, part by part. */
async function filesOf(
  folder: string,
  parts: readonly string[],
  indices: Int32Array,
  count: number,
): Promise<NamedArray[][]> {
  assertPositions(indices, count);
  const read = async (path: string): Promise<NamedArray> => ({
    path,
    ...parseNpy(await readFile(path), path),
  });
  return Promise.all(
    parts.map((part) =>
      Promise.all(Array.from(indices, (index) => read(join(folder, part, `${index}.npy`)))),
    ),
  );
}

interface NamedArray extends NpyArray {
  readonly path: string;
}

function denseBatch(
  images: readonly NamedArray[],
  labels: readonly NamedArray[],
  depths: readonly NamedArray[],
): DenseBatch {
  const raw = stacked(depths, 'depth', images, 1);
  const depth = tf.where(tf.equal(raw, 0), tf.fill(raw.shape, NaN), raw);
  return {
    image: stacked(images, 'image', images, 3) as tf.Tensor4D,
    segmentation: tf.cast(stacked(labels, 'label', images, 1), 'int32') as tf.Tensor3D,
    depth: depth as tf.Tensor3D,
  };
}

/** Arrays of height × width × channels as one tensor; without the last axis where there is one channel. */
function stacked(
  arrays: readonly NamedArray[],
  what: string,
  images: readonly NamedArray[],
  channels: number,
): tf.Tensor {
  const [height, width] = images[0]!.shape as [number, number];
  const pixels = height * width * channels;
  const values = new Float32Array(arrays.length * pixels);
  arrays.forEach(({ path, shape, values: own }, at) => {
    const expected = [height, width, channels];
    const fits =
      String(shape) === String(expected) ||
      (channels === 1 && String(shape) === String(expected.slice(0, 2)));
    if (!fits) {
      throw new MultigradError(
        'invalid-data',
        `${path}: expected a ${what} of shape (${expected.join(', ')}), as the first image of the batch has it. Found (${shape.join(', ')}).`,
      );
    }
    values.set(own, at * pixels);
  });
  const shape = [arrays.length, height, width, ...(channels === 1 ? [] : [channels])];
  return tf.tensor(values, shape);
}
