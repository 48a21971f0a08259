import { type OptionsOf, type OptionSpecs, resolveOptions } from '@multigrad/core/strategy';
import { type ClipLayout, findClips, readList } from './clip-list.ts';
import { clipSource, type ClipSource } from './clip-source.ts';
import { assertEveryClass } from './split.ts';

/** Descriptions of the options of the readers of clips whose default is the same for every data set. */
const readClipsOptions = {
  /** Height and width of a frame in pixels, an integer >= 1. @defaultValue 224 */
  frameSize: {
    kind: 'number',
    default: 224,
    minimum: 1,
    integer: true,
    description: 'Height and width of a frame in pixels, an integer >= 1.',
  },
  /** Number of clips at the end of the training list that are used for validation instead; an integer >= 0. @defaultValue 0 */
  validationSize: {
    kind: 'number',
    default: 0,
    minimum: 0,
    integer: true,
    description: 'Clips from the end of the training list that validate, an integer >= 0.',
  },
  /** Seed of the frames, crops and flips in training, an integer >= 0. @defaultValue 0 */
  seed: {
    kind: 'number',
    default: 0,
    minimum: 0,
    integer: true,
    description: 'Seed of frames, crops and flips in training, an integer >= 0.',
  },
} as const;

/** Options of the readers of clips. */
export interface ReadClipsOptions extends OptionsOf<typeof readClipsOptions> {
  /** Folder of your copy of the data set. */
  readonly folder: string;
  /**
   * Frames of each clip, an integer >= 1.
   *
   * @defaultValue 2 for CREMA-D, 3 for Kinetics-Sounds
   */
  readonly frames?: number;
}

/** Clips for training, validation and testing. */
export interface ClipSets {
  readonly train: ClipSource;
  /** Null where `validationSize` is 0. */
  readonly validation: ClipSource | null;
  readonly test: ClipSource;
  /** Names of the classes, in the order of their labels. */
  readonly classes: readonly string[];
}

const cremaDClasses = ['NEU', 'HAP', 'SAD', 'FEA', 'DIS', 'ANG'] as const;

/**
 * Reads CREMA-D from your copy (Node): 7,442 clips of actors who speak with one of six emotions, by sound and by frames.
 *
 * Layout, that of the OGM-GE code: `train.csv` and `test.csv` with a clip and its emotion on each line
 * (`1001_DFA_ANG_XX,ANG`), `AudioWAV/<clip>.wav`, `Image-01-FPS/<clip>/*.jpg`. Files are read as batches are made: use
 * `prefetch`. Sound is `ln(|X| + 10⁻⁷)` in 257 bands by 188 frames; in training a random frame of each of equal stretches
 * of the clip is cropped and flipped at random, in tests the middle ones are seen whole.
 *
 * @throws MultigradError `io` for a list or files that are missing, `invalid-data` for a malformed list or an emotion that
 * a split lacks; when a batch is made, `invalid-data` for a malformed file and `unsupported` without the package `sharp`
 *
 * @example
 * ```ts
 * import { MultigradError } from '@multigrad/core/strategy';
 * import { batches, readCremaD } from '@multigrad/datasets';
 * import * as tf from '@tensorflow/tfjs-core';
 *
 * try {
 *   const { train } = await readCremaD({ folder: 'my-copy-of-crema-d', frames: 2, seed: 1 });
 *   for await (const batch of batches(train, { batchSize: 64, shuffleSeed: 1, prefetch: 2 })) {
 *     // [ 64, 257, 188, 1 ] and [ 64, 2, 224, 224, 3 ]
 *     console.log(batch.audio.shape, batch.image.shape);
 *     tf.dispose(batch);
 *   }
 * } catch (error) {
 *   console.log(MultigradError.isInstance(error), String(error)); // true … Cannot read …
 * }
 * ```
 *
 * @see Cao, Cooper, Keutmann, Gur, Nenkova and Verma, "CREMA-D: Crowd-sourced Emotional Multimodal Actors Dataset", IEEE
 * Transactions on Affective Computing 2014; the split and the features: Peng, Wei, Deng, Wang and Hu, "Balanced Multimodal
 * Learning via On-the-fly Gradient Modulation", CVPR 2022 (https://arxiv.org/abs/2203.15332)
 */
export async function readCremaD(options: ReadClipsOptions): Promise<ClipSets> {
  return readClips('readCremaD', options, {
    layout: {
      title: 'CREMA-D',
      source:
        'the clips are at https://github.com/CheyneyComputerScience/CREMA-D, the lists and the script that cuts frames ' +
        'at https://github.com/GeWu-Lab/OGM-GE_CVPR2022',
      sounds: 'AudioWAV',
      frames: 'Image-01-FPS',
    },
    lists: ['train.csv', 'test.csv'],
    classes: cremaDClasses,
    frames: 2,
  });
}

/**
 * Reads Kinetics-Sounds from your copy (Node): clips of 31 kinds of action that can be seen and heard.
 *
 * Layout: `my_train.txt` and `my_test.txt` with a clip and its class on each line, `audio/<clip>.wav`,
 * `visual/<clip>/*.jpg`. Classes get their labels in alphabetical order. Clips are seen and heard as {@link readCremaD}
 * does.
 *
 * @remarks
 * The official scripts of some papers turn sound into filter banks instead; here both data sets have the same form.
 *
 * @throws MultigradError as {@link readCremaD} does
 *
 * @example
 * ```ts
 * import { MultigradError } from '@multigrad/core/strategy';
 * import { readKineticsSounds } from '@multigrad/datasets';
 *
 * try {
 *   const { classes } = await readKineticsSounds({ folder: 'my-copy-of-kinetics-sounds' });
 *   console.log(classes.length);
 * } catch (error) {
 *   console.log(MultigradError.isInstance(error), String(error));
 * }
 * ```
 *
 * @see Arandjelović and Zisserman, "Look, Listen and Learn", ICCV 2017 (https://arxiv.org/abs/1705.08168)
 */
export async function readKineticsSounds(options: ReadClipsOptions): Promise<ClipSets> {
  return readClips('readKineticsSounds', options, {
    layout: {
      title: 'Kinetics-Sounds',
      source:
        'it is the part of Kinetics-400 that the lists at https://github.com/GeWu-Lab/OGM-GE_CVPR2022 name, with sound as ' +
        'wav files and frames as pictures',
      sounds: 'audio',
      frames: 'visual',
    },
    lists: ['my_train.txt', 'my_test.txt'],
    classes: null,
    frames: 3,
  });
}

/** The properties in which data sets of clips differ. */
interface ClipDataSet {
  readonly layout: Omit<ClipLayout, 'folder'>;
  readonly lists: readonly [train: string, test: string];
  /** Names of the classes, or null for those of the lists in alphabetical order. */
  readonly classes: readonly string[] | null;
  readonly frames: number;
}

async function readClips(
  owner: string,
  { folder, ...given }: ReadClipsOptions,
  dataSet: ClipDataSet,
): Promise<ClipSets> {
  const options = resolveOptions(owner, specsFor(dataSet.frames), given);
  const { frames, frameSize: size, validationSize, seed } = options;
  const layout = { ...dataSet.layout, folder };
  const [training, testing] = [
    await readList(layout, dataSet.lists[0]),
    await readList(layout, dataSet.lists[1]),
  ];
  const names = [...training, ...testing].map(({ className }) => className);
  const classes = dataSet.classes ?? [...new Set(names)].sort();
  const all = await findClips(layout, training, classes, frames);
  const tests = await findClips(layout, testing, classes, frames);
  const trained = all.slice(0, Math.max(0, all.length - validationSize));
  for (const [set, clips] of [
    ['training', trained],
    ['test', tests],
  ] as const) {
    const labels = clips.map(({ label }) => label);
    assertEveryClass(labels, classes.length, `${layout.title}, labels of the ${set} clips`);
  }
  const whole = { frames, size, seed, training: false };
  return {
    train: clipSource(trained, { ...whole, training: true }),
    validation: validationSize === 0 ? null : clipSource(all.slice(trained.length), whole),
    test: clipSource(tests, whole),
    classes,
  };
}

function specsFor(frames: number): OptionSpecs<Omit<ReadClipsOptions, 'folder'>> {
  return {
    ...readClipsOptions,
    frames: {
      kind: 'number',
      default: frames,
      minimum: 1,
      integer: true,
      description: 'Frames of each clip, an integer >= 1.',
    },
  };
}
