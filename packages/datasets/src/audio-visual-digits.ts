import {
  MultigradError,
  type OptionsOf,
  type OptionSpecs,
  type ResolvedOptions,
  randomState,
  resolveOptions,
  resumeRandom,
} from '@multigrad/core/strategy';
import * as tf from '@tensorflow/tfjs-core';
import { addWhiteNoise, meanSquare, resample } from './audio-signal.ts';
import type { MemorySource } from './batch-source.ts';
import {
  digitClasses,
  digitPixels,
  type Digits,
  digitsFrom,
  digitSide,
  type Mnist,
} from './mnist.ts';
import { logMelSpectrograms } from './spectrogram.ts';
import { assertEveryClass } from './split.ts';
import { sizeSpecs } from './size-options.ts';
import { assertPositions } from './positions.ts';

/** A recording of a spoken digit. */
export interface SpokenDigit {
  /** 0 to 9. */
  readonly digit: number;
  readonly speaker: string;
  /** Number of the take, from 0. */
  readonly index: number;
  /** Samples per second. */
  readonly sampleRate: number;
  /** −1 to 1. */
  readonly samples: Float32Array;
  /** Name of the recording in messages: its path. */
  readonly where: string;
}

/** Height and width of a spectrogram: mel bands and frames. */
export const spectrogramSide = 32;

const sampleRate = 8000;
const frames = { fftSize: 512, windowSize: 400, hop: 200 } as const;
/** 0.84 s: what 32 frames cover. Longer recordings are cut, shorter ones end in silence. */
const signalLength = frames.fftSize + (spectrogramSide - 1) * frames.hop;

/** Descriptions of the options of {@link audioVisualDigits} whose range does not depend on the digits. */
const audioVisualDigitsOptions = {
  /**
   * Which recordings test: `index`: takes 0 to 4 of each speaker, as the data set's authors propose, and takes 5 to 9
   * validate; `speaker`: in alphabetical order all of the last speaker's, and those of the last but one validate.
   *
   * @defaultValue 'index'
   */
  split: {
    kind: 'choice',
    choices: ['index', 'speaker'],
    default: 'index',
    description: 'Which recordings test: the first takes of each speaker, or one speaker.',
  },
  /**
   * Signal-to-noise ratio of the sound in decibels, from −40 to 60; null for clean sound, which is the easier modality.
   * Around −10 sound is the harder one.
   *
   * @defaultValue null
   */
  snr: {
    kind: 'number',
    default: null,
    nullable: true,
    minimum: -40,
    maximum: 60,
    description: 'Signal-to-noise ratio in decibels; null for clean sound.',
  },
  /** Seed of the pairs and of the noise, an integer >= 0. @defaultValue 0 */
  seed: {
    kind: 'number',
    default: 0,
    minimum: 0,
    integer: true,
    description: 'Seed of the pairs and of the noise, an integer >= 0.',
  },
} as const;

/** Options of {@link audioVisualDigits}. */
export interface AudioVisualDigitsOptions extends OptionsOf<typeof audioVisualDigitsOptions> {
  /** The written digits. */
  readonly mnist: Mnist;
  /** The spoken digits. */
  readonly recordings: readonly SpokenDigit[];
  /**
   * Number of training samples, an integer >= 1: the first images of `mnist.train`.
   *
   * @defaultValue all that `validationSize` leaves
   */
  readonly trainSize?: number;
  /**
   * Number of validation samples, an integer >= 0: the images after the training samples, with recordings of their own.
   *
   * @defaultValue 0
   */
  readonly validationSize?: number;
  /**
   * Number of test samples, an integer >= 1: the first images of `mnist.test`.
   *
   * @defaultValue all
   */
  readonly testSize?: number;
}

/** A batch of n digits, each as an image and as a sound. */
export type AudioVisualDigitBatch = Readonly<{
  /** n × 28 × 28 × 1, float32 from 0 (background) to 1. */
  image: tf.Tensor4D;
  /** n × 32 × 32 × 1, float32: standardised log-mel spectrograms, one row a band, one column a frame of 25 ms. */
  audio: tf.Tensor4D;
  /** n labels, int32 from 0 to 9. */
  label: tf.Tensor1D;
}>;

/** Digits, each with a recording of it. */
export interface AudioVisualDigitSet extends MemorySource<AudioVisualDigitBatch> {
  /** The written digits. */
  readonly digits: Digits;
  /** The recording of each, as a position among the `recordings` that were handed over. */
  readonly partners: Int32Array;
}

/** Audio-visual digits for training, validation and testing: no image and no recording is in two of them. */
export interface AudioVisualDigits {
  readonly train: AudioVisualDigitSet;
  /** Null where `validationSize` is 0. */
  readonly validation: AudioVisualDigitSet | null;
  readonly test: AudioVisualDigitSet;
}

/**
 * Audio-visual digits: an image of a handwritten digit and a recording of the same digit spoken, two modalities of one
 * label.
 *
 * A recording is brought to 8 kHz and to a mean square of 1, cut or filled with silence to 0.84 s, mixed with white noise
 * at a chosen ratio, and seen as a {@link logMelSpectrogram} of 32 bands by 32 frames (windows of 50 ms every 25 ms), each
 * band with zero mean and unit deviation over the training recordings.
 * Sample i pairs image i with a random recording of its digit. Pairs and noise depend on `seed` and positions alone; a
 * recording sounds the same whenever it is used.
 *
 * @throws MultigradError `invalid-option` for an option out of its range
 * @throws MultigradError `invalid-data` when a split has no recording of some digit; the message names split and digits
 *
 * @example
 * ```ts
 * import { audioVisualDigits, readMnist, readSpokenDigits } from '@multigrad/datasets';
 * import '@tensorflow/tfjs-backend-cpu';
 *
 * const { train } = audioVisualDigits({
 *   mnist: await readMnist(),
 *   recordings: await readSpokenDigits(),
 *   trainSize: 1000,
 *   snr: 0,
 *   seed: 1,
 * });
 * const batch = train.batch(Int32Array.of(0, 1));
 * console.log(batch.image.shape, batch.audio.shape); // [ 2, 28, 28, 1 ] [ 2, 32, 32, 1 ]
 * ```
 */
export function audioVisualDigits({
  mnist,
  recordings,
  ...given
}: AudioVisualDigitsOptions): AudioVisualDigits {
  const specs = specsFor(mnist, given.validationSize ?? 0);
  const options = resolveOptions('audioVisualDigits', specs, given);
  const { trainSize, validationSize, testSize, seed } = options;
  if (trainSize + validationSize > mnist.train.count) {
    throw new MultigradError(
      'invalid-option',
      'Options `trainSize` and `validationSize` of `audioVisualDigits` should add up to at most ' +
        `${mnist.train.count}. Found ${trainSize + validationSize}.`,
    );
  }
  const splitOf = splitRule(recordings, options.split);
  let scale: BandScale | undefined;
  const set = (split: Split, digits: Digits, start: number, count: number) => {
    const chosen = recordings.flatMap((recording, i) => (splitOf(recording) === split ? [i] : []));
    assertEveryClass(
      chosen.map((i) => recordings[i]!.digit),
      digitClasses,
      `Recordings of the ${split} split by ${options.split}`,
    );
    const sounds = spectrograms(recordings, chosen, options);
    // The training set is made first: its means and deviations standardise the others.
    scale ??= bandScale([...sounds.values()]);
    for (const values of sounds.values()) standardize(values, scale);
    return pair(digitsFrom(digits, start, count), recordings, chosen, sounds, seed, split);
  };
  return {
    train: set('training', mnist.train, 0, trainSize),
    validation:
      validationSize === 0 ? null : set('validation', mnist.train, trainSize, validationSize),
    test: set('test', mnist.test, 0, testSize),
  };
}

type Split = 'training' | 'validation' | 'test';

function splitRule(
  recordings: readonly SpokenDigit[],
  split: 'index' | 'speaker',
): (recording: SpokenDigit) => Split {
  if (split === 'index') {
    return ({ index }) => (index < 5 ? 'test' : index < 10 ? 'validation' : 'training');
  }
  const speakers = [...new Set(recordings.map(({ speaker }) => speaker))].sort();
  const [validation, test] = [speakers.at(-2), speakers.at(-1)];
  return ({ speaker }) =>
    speaker === test ? 'test' : speaker === validation ? 'validation' : 'training';
}

/** The spectrograms of the chosen recordings, by position. */
function spectrograms(
  recordings: readonly SpokenDigit[],
  chosen: readonly number[],
  {
    snr,
    seed,
  }: Pick<ResolvedOptions<Omit<AudioVisualDigitsOptions, 'mnist' | 'recordings'>>, 'snr' | 'seed'>,
): Map<number, Float32Array> {
  const picture = logMelSpectrograms({ ...frames, sampleRate, bands: spectrogramSide });
  return new Map(
    chosen.map((i) => {
      const { digit, speaker, index, samples, sampleRate: rate, where } = recordings[i]!;
      const spoken = resample(samples, rate, sampleRate);
      const power = meanSquare(spoken);
      if (power === 0) {
        throw new MultigradError('invalid-data', `${where}: expected sound. Found silence alone.`);
      }
      const signal = new Float32Array(signalLength);
      signal.set(spoken.subarray(0, signalLength).map((value) => value / Math.sqrt(power)));
      const heard =
        snr === null ? signal : addWhiteNoise(signal, snr, [seed, speaker, digit, index], 1);
      return [i, picture(heard).values];
    }),
  );
}

/** Mean and deviation of each band. */
interface BandScale {
  readonly means: Float64Array;
  readonly deviations: Float64Array;
}

function bandScale(pictures: readonly Float32Array[]): BandScale {
  const means = new Float64Array(spectrogramSide);
  const deviations = new Float64Array(spectrogramSide);
  for (let band = 0; band < spectrogramSide; band++) {
    let [sum, squares] = [0, 0];
    for (const picture of pictures) {
      for (let column = 0; column < spectrogramSide; column++) {
        const value = picture[band * spectrogramSide + column]!;
        sum += value;
        squares += value * value;
      }
    }
    const count = pictures.length * spectrogramSide;
    means[band] = sum / count;
    // A band that is silent in every recording stays zero.
    deviations[band] = Math.sqrt(Math.max(0, squares / count - (sum / count) ** 2)) || 1;
  }
  return { means, deviations };
}

function standardize(picture: Float32Array, { means, deviations }: BandScale): void {
  picture.forEach((value, i) => {
    const band = Math.floor(i / spectrogramSide);
    picture[i] = (value - means[band]!) / deviations[band]!;
  });
}

function pair(
  digits: Digits,
  recordings: readonly SpokenDigit[],
  chosen: readonly number[],
  sounds: ReadonlyMap<number, Float32Array>,
  seed: number,
  split: Split,
): AudioVisualDigitSet {
  const random = resumeRandom(randomState(seed, 'audio-visual digits', split));
  const byDigit = Array.from({ length: digitClasses }, (_, digit) =>
    chosen.filter((i) => recordings[i]!.digit === digit),
  );
  const partners = Int32Array.from(digits.labels, (label) => {
    const same = byDigit[label]!;
    return same[random.integer(same.length)]!;
  });
  return {
    count: digits.count,
    digits,
    partners,
    batch: (indices) => makeBatch(digits, partners, sounds, indices),
  };
}

function makeBatch(
  { images, labels, count }: Digits,
  partners: Int32Array,
  sounds: ReadonlyMap<number, Float32Array>,
  indices: Int32Array,
): AudioVisualDigitBatch {
  assertPositions(indices, count);
  const size = indices.length;
  const image = new Float32Array(size * digitPixels);
  const audio = new Float32Array(size * spectrogramSide ** 2);
  const label = new Int32Array(size);
  indices.forEach((sample, position) => {
    for (let pixel = 0; pixel < digitPixels; pixel++) {
      image[position * digitPixels + pixel] = images[sample * digitPixels + pixel]! / 255;
    }
    audio.set(sounds.get(partners[sample]!)!, position * spectrogramSide ** 2);
    label[position] = labels[sample]!;
  });
  return {
    image: tf.tensor4d(image, [size, digitSide, digitSide, 1]),
    audio: tf.tensor4d(audio, [size, spectrogramSide, spectrogramSide, 1]),
    label: tf.tensor1d(label, 'int32'),
  };
}

function specsFor(
  { train, test }: Mnist,
  validationSize: number,
): OptionSpecs<Omit<AudioVisualDigitsOptions, 'mnist' | 'recordings'>> {
  return {
    ...sizeSpecs(train.count, test.count, validationSize),
    ...audioVisualDigitsOptions,
  };
}
