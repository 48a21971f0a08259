import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expectConstantMemory } from '@multigrad/test-support';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { audioVisualDigits, type SpokenDigit } from './audio-visual-digits.ts';
import type { Digits, Mnist } from './mnist.ts';
import { readSpokenDigits } from './spoken-digits.ts';
import { wavFile } from './testing/wav-file.ts';

function blankDigits(count: number): Digits {
  return {
    images: new Uint8Array(count * 784).fill(255),
    labels: Uint8Array.from({ length: count }, (_, i) => i % 10),
    count,
  };
}

const mnist: Mnist = { train: blankDigits(400), test: blankDigits(100) };

/** A tone for each digit, by four speakers who take twelve takes. */
const recordings: SpokenDigit[] = ['ada', 'bob', 'cy', 'dee'].flatMap((speaker) =>
  Array.from({ length: 120 }, (_, i) => {
    const [digit, index] = [i % 10, Math.floor(i / 10)];
    const pitch = 200 + 100 * digit;
    const length = 1000 + 700 * index;
    return {
      digit,
      speaker,
      index,
      sampleRate: 8000,
      samples: Float32Array.from(
        { length },
        (_, n) => 0.1 * Math.sin((2 * Math.PI * pitch * n) / 8000),
      ),
      where: `${digit}_${speaker}_${index}.wav`,
    };
  }),
);

describe('audioVisualDigits', () => {
  it('pairs each image with a recording of its digit, of its own split', () => {
    const sizes = { trainSize: 200, validationSize: 100 };
    for (const split of ['index', 'speaker'] as const) {
      const sets = audioVisualDigits({ mnist, recordings, ...sizes, split, seed: 1 });
      const { train, validation, test } = sets;
      expect([train.count, validation!.count, test.count]).toEqual([200, 100, 100]);
      const used = [train, validation!, test].map(({ digits, partners }) => {
        partners.forEach((partner, i) => {
          expect(recordings[partner]!.digit).toBe(digits.labels[i]);
        });
        return [...partners].map((partner) =>
          split === 'index' ? recordings[partner]!.index : recordings[partner]!.speaker,
        );
      });
      const seen = used.map((values) => [...new Set(values)].sort().join());
      expect(seen).toEqual(
        split === 'index' ? ['10,11', '5,6,7,8,9', '0,1,2,3,4'] : ['ada,bob', 'cy', 'dee'],
      );
    }
  });

  it('makes batches of pictures of both', async () => {
    await expectConstantMemory(() => {
      const { train, test } = audioVisualDigits({ mnist, recordings, trainSize: 20 });
      const batch = train.batch(Int32Array.of(3, 12));
      expect([batch.image.shape, batch.audio.shape]).toEqual([
        [2, 28, 28, 1],
        [2, 32, 32, 1],
      ]);
      expect([...batch.label.dataSync()]).toEqual([3, 2]);
      const audio = batch.audio.arraySync();
      const loudest = audio.map((bands) => {
        const row = bands.map((band) => band[4]![0]!);
        return row.indexOf(Math.max(...row));
      });
      // 500 Hz sounds higher than 400 Hz.
      expect(loudest[0]).toBeGreaterThan(loudest[1]!);
      // A short recording ends in silence.
      const quiet = test.batch(Int32Array.from({ length: 100 }, (_, i) => i));
      const short = [...test.partners].findIndex((partner) => recordings[partner]!.index === 0);
      const last = quiet.audio.arraySync()[short]!.map((band) => band[31]![0]!);
      const lowest = quiet.audio
        .arraySync()
        .flat(2)
        .map((frame) => frame[0]!);
      expect(Math.max(...last)).toBeLessThan(0);
      expect(Math.min(...last)).toBeGreaterThanOrEqual(Math.min(...lowest));
      tf.dispose([batch, quiet]);
    });
  });

  it('hears noise everywhere at a low ratio, the same for the same seed', () => {
    const audioOf = (snr: number | null, seed: number): Float32Array => {
      const { test } = audioVisualDigits({
        mnist,
        recordings,
        trainSize: 5,
        testSize: 5,
        snr,
        seed,
      });
      const batch = test.batch(Int32Array.of(0));
      const audio = batch.audio.dataSync() as Float32Array;
      tf.dispose(batch);
      return audio;
    };
    // Recordings that test end long before the last two frames: clean ones are silent there, noisy ones are not.
    const ends = (values: Float32Array): number =>
      Array.from(
        { length: 32 },
        (_, band) => values[32 * band + 30] === values[32 * band + 31],
      ).filter(Boolean).length;
    expect(ends(audioOf(null, 0))).toBe(32);
    expect(ends(audioOf(-10, 0))).toBe(0);
    expect(audioOf(-10, 0)).toEqual(audioOf(-10, 0));
    expect(audioOf(-10, 0)).not.toEqual(audioOf(-10, 1));
  });

  it('gives each band zero mean and unit deviation over the training recordings', async () => {
    await expectConstantMemory(() => {
      const { train } = audioVisualDigits({ mnist, recordings, testSize: 10, snr: 0 });
      const batch = train.batch(Int32Array.from({ length: 400 }, (_, i) => i));
      // Each training recording is used about as often as any other.
      const { mean, variance } = tf.tidy(() => tf.moments(batch.audio, [0, 2, 3]));
      for (const value of mean.dataSync()) expect(Math.abs(value)).toBeLessThan(0.2);
      for (const value of variance.dataSync()) expect(Math.abs(value - 1)).toBeLessThan(0.3);
      tf.dispose([batch, mean, variance]);
    });
  });

  it('refuses a split without some digit, silence, and options out of range', () => {
    const make = (change: object) => () =>
      audioVisualDigits({ mnist, recordings, trainSize: 20, ...change });
    const without = recordings.filter(({ digit, index }) => digit !== 7 || index > 4);
    expect(make({ recordings: without })).toThrow(
      'Recordings of the test split by index: expected each of 10 classes. Found none of class 7.',
    );
    const silent = [{ ...recordings[100]!, samples: new Float32Array(100) }, ...recordings];
    expect(make({ recordings: silent })).toThrow(
      '0_ada_10.wav: expected sound. Found silence alone.',
    );
    expect(make({ snr: -50 })).toThrow('`snr`');
    expect(make({ split: 'sex' })).toThrow('`split`');
    expect(make({ validationSize: 381 })).toThrow('should add up to at most 400. Found 401.');
    const { test } = make({ testSize: 3 })();
    expect(() => test.batch(Int32Array.of(3))).toThrow('an integer from 0 to 2. Found 3.');
  });
});

describe('readSpokenDigits', () => {
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'multigrad-speech-'));
    await mkdir(join(folder, 'recordings'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));
  const write = (name: string, bytes: Uint8Array): Promise<void> =>
    writeFile(join(folder, 'recordings', name), bytes);

  it('reads the sample that comes with the package', async () => {
    const sample = await readSpokenDigits();
    expect(sample).toHaveLength(240);
    const count = (of: (recording: SpokenDigit) => unknown): number => new Set(sample.map(of)).size;
    expect([count((r) => r.digit), count((r) => r.speaker), count((r) => r.index)]).toEqual([
      10, 6, 4,
    ]);
    for (const { sampleRate, samples } of sample) {
      expect(sampleRate).toBe(8000);
      expect(samples.length).toBeGreaterThan(800);
    }
    // Every split by take has every digit: the recipe runs on it.
    const sizes = { trainSize: 50, validationSize: 50, testSize: 50 };
    const { train } = audioVisualDigits({ mnist, recordings: sample, ...sizes, snr: 0 });
    expect(train.count).toBe(50);
  });

  it('reads a folder in order, from above or from within', async () => {
    await write('3_zoe_10.wav', wavFile([0.5], {}));
    await write('3_zoe_9.wav', wavFile([0.25], {}));
    await write('0_amy_1.wav', wavFile([-0.5], { sampleRate: 16_000 }));
    await write('README.md', new Uint8Array());
    for (const path of [folder, join(folder, 'recordings')]) {
      const found = await readSpokenDigits({ folder: path });
      expect(found.map((r) => [r.digit, r.speaker, r.index, r.sampleRate, r.samples[0]])).toEqual([
        [0, 'amy', 1, 16_000, -0.5],
        [3, 'zoe', 9, 8000, 0.25],
        [3, 'zoe', 10, 8000, 0.5],
      ]);
    }
  });

  it('says what is wrong with a folder or a file', async () => {
    const read = () => readSpokenDigits({ folder });
    await expect(read()).rejects.toMatchObject({
      code: 'io',
      message: expect.stringContaining('Found: no wav files. Get them from') as string,
    });
    await expect(readSpokenDigits({ folder: join(folder, 'nowhere') })).rejects.toMatchObject({
      code: 'io',
      message: expect.stringContaining('ENOENT') as string,
    });
    await write('seven.wav', wavFile([0.5], {}));
    await expect(read()).rejects.toMatchObject({
      code: 'invalid-data',
      message: expect.stringContaining('<digit>_<speaker>_<index>.wav. Found seven.wav.') as string,
    });
    await rm(join(folder, 'recordings', 'seven.wav'));
    await write('7_kim_0.wav', wavFile([0.5, 0.5], {}).subarray(0, 45));
    await expect(read()).rejects.toMatchObject({
      code: 'invalid-data',
      message: expect.stringContaining('7_kim_0.wav: expected 48 bytes') as string,
    });
  });
});
