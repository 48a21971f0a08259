import { readFile, stat } from 'node:fs/promises';
import { MultigradError, type Random, randomState, resumeRandom } from '@multigrad/core/strategy';
import { ioError } from '@multigrad/core/support';
import * as tf from '@tensorflow/tfjs-core';
import { resample } from './audio-signal.ts';
import type { BatchSource } from './batch-source.ts';
import type { Clip } from './clip-list.ts';
import { decodeImage, loadDecoder } from './decode-image.ts';
import { magnitudeSpectrogram } from './spectrogram.ts';
import { parseWav } from './wav.ts';
import { assertPositions } from './positions.ts';

const sampleRate = 22_050;
const seconds = 3;
/** Sample rates of recordings in Hz; a header with a rate outside of them is damaged. */
const rates = { lowest: 1000, highest: 768_000 } as const;
/** Greatest size of a recording's file: 1 GiB. */
const mostBytes = 2 ** 30;
const frame = { fftSize: 512, hop: 353, centred: true } as const;

/** Bands and frames of a clip's spectrogram. */
export const clipSpectrogram = { height: 257, width: 188 } as const;

/** A batch of n clips with F frames each. */
export type ClipBatch = Readonly<{
  /** n × 257 × 188 × 1, float32: log spectrograms of three seconds. */
  audio: tf.Tensor4D;
  /** n × F × size × size × 3, float32, by ImageNet's means and deviations. */
  image: tf.Tensor5D;
  /** n labels, int32. */
  label: tf.Tensor1D;
}>;

/** Clips whose batches are read from disk. */
export interface ClipSource extends BatchSource<ClipBatch> {
  readonly clips: readonly Clip[];
}

/** How clips become tensors. */
export interface ClipView {
  /** Frames of each clip. */
  readonly frames: number;
  /** Height and width of a frame in pixels. */
  readonly size: number;
  /** Whether frames, crops and flips are drawn anew each epoch; else the middle frames are seen whole. */
  readonly training: boolean;
  readonly seed: number;
}

/** Clips as a source of batches; what is drawn depends on seed, epoch and position alone. */
export function clipSource(clips: readonly Clip[], view: ClipView): ClipSource {
  return {
    clips,
    count: clips.length,
    batch: async (indices, { epoch }) => {
      assertPositions(indices, clips.length);
      const chosen = Array.from(indices, (index) => ({ clip: clips[index]!, index }));
      const decoder = await loadDecoder();
      const parts = await Promise.all(
        chosen.map(async ({ clip, index }) => {
          const random = view.training
            ? resumeRandom(randomState(view.seed, 'clip', epoch, index))
            : null;
          const images: Float32Array[] = [];
          for (const path of pickFrames(clip, view.frames, random)) {
            images.push(await decodeImage(decoder, path, { size: view.size, random }));
          }
          return { sound: await clipSound(clip.sound), images, label: clip.label };
        }),
      );
      return assemble(parts, view);
    },
  };
}

/** One frame of each of equal stretches of the clip: a random one in training, else the middle one. */
function pickFrames({ frames }: Clip, count: number, random: Random | null): string[] {
  return Array.from({ length: count }, (_, k) => {
    const start = Math.floor((k * frames.length) / count);
    const length = Math.floor(((k + 1) * frames.length) / count) - start;
    const within = random === null ? Math.floor(length / 2) : random.integer(length);
    return frames[start + within]!;
  });
}

/**
 * `ln(|X| + 10⁻⁷)` of a recording at 22,050 Hz, repeated or cut to three seconds, in windows of 512 samples every 353:
 * 257 bands by 188 frames, as in the official code of OGM-GE and its followers.
 */
async function clipSound(path: string): Promise<Float32Array> {
  let bytes: Uint8Array;
  try {
    const { size } = await stat(path);
    if (size > mostBytes) {
      throw new MultigradError(
        'invalid-data',
        `${path}: expected a recording of at most ${mostBytes} bytes. Found ${size}.`,
      );
    }
    bytes = await readFile(path);
  } catch (cause) {
    if (MultigradError.isInstance(cause)) throw cause;
    throw ioError(`read ${path}`, cause);
  }
  const wav = parseWav(bytes, path);
  if (wav.sampleRate < rates.lowest || wav.sampleRate > rates.highest) {
    throw new MultigradError(
      'invalid-data',
      `${path}: expected ${rates.lowest} … ${rates.highest} samples a second. Found ${wav.sampleRate}.`,
    );
  }
  // Samples after three seconds are left out.
  const once = resample(wav.samples, wav.sampleRate, sampleRate, seconds * sampleRate);
  const signal = Float32Array.from({ length: seconds * sampleRate }, (_, n) =>
    Math.min(1, Math.max(-1, once[n % once.length]!)),
  );
  return magnitudeSpectrogram(signal, frame).values.map((value) => Math.log(value + 1e-7));
}

function assemble(
  parts: readonly { sound: Float32Array; images: readonly Float32Array[]; label: number }[],
  { frames, size }: ClipView,
): ClipBatch {
  const { height, width } = clipSpectrogram;
  const audio = new Float32Array(parts.length * height * width);
  const pixels = size * size * 3;
  const image = new Float32Array(parts.length * frames * pixels);
  parts.forEach(({ sound, images }, position) => {
    audio.set(sound, position * height * width);
    images.forEach((values, k) => image.set(values, (position * frames + k) * pixels));
  });
  const labels = parts.map(({ label }) => label);
  return {
    audio: tf.tensor4d(audio, [parts.length, height, width, 1]),
    image: tf.tensor5d(image, [parts.length, frames, size, size, 3]),
    label: tf.tensor1d(labels, 'int32'),
  };
}
