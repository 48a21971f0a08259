import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomState, resumeRandom } from '@multigrad/core/strategy';
import { expectConstantMemory } from '@multigrad/test-support';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadDecoder, randomArea } from './decode-image.ts';
import { readCremaD, readKineticsSounds } from './read-clips.ts';
import { readModelnet40 } from './read-modelnet40.ts';
import { wavFile } from './testing/wav-file.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'multigrad-clips-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** A picture of one colour. */
async function picture(path: string, colour: readonly [number, number, number]): Promise<void> {
  const [r, g, b] = colour;
  const create = { width: 20, height: 12, channels: 3, background: { r, g, b } } as const;
  await sharp({ create }).png().toFile(path);
}

const emotions = ['NEU', 'HAP', 'SAD', 'FEA', 'DIS', 'ANG'];

/** Clips of the emotions in turn; frame k of clip c is of red value 10 c + k. */
async function clips(
  sounds: string,
  frames: string,
  from: number,
  count: number,
): Promise<string[]> {
  const lines: string[] = [];
  await mkdir(join(folder, sounds), { recursive: true });
  for (let c = from; c < from + count; c++) {
    const [name, emotion] = [`clip${c}`, emotions[c % 6]!];
    lines.push(`${name},${emotion}`);
    const samples = Array.from({ length: 800 }, (_, n) => 0.5 * Math.sin((c + 1) * n));
    await writeFile(join(folder, sounds, `${name}.wav`), wavFile(samples, { sampleRate: 16_000 }));
    await mkdir(join(folder, frames, name), { recursive: true });
    for (let k = 0; k < 4; k++) {
      await picture(join(folder, frames, name, `frame_${k}.png`), [10 * c + k, 0, 255]);
    }
  }
  return lines;
}

async function cremaD(): Promise<void> {
  const train = await clips('AudioWAV', 'Image-01-FPS', 0, 8);
  const test = await clips('AudioWAV', 'Image-01-FPS', 8, 6);
  await writeFile(join(folder, 'train.csv'), `\uFEFF${train.join('\r\n')}\n`);
  await writeFile(join(folder, 'test.csv'), test.join('\n'));
}

const read = (change: object = {}) => readCremaD({ folder, frameSize: 8, ...change });
const red = (value: number): number => Math.abs(Math.round(255 * (value * 0.229 + 0.485)));

describe('readCremaD', () => {
  it('makes batches of sound and frames, of the shapes of the official code', async () => {
    await cremaD();
    await expectConstantMemory(async () => {
      const { train, validation, test, classes } = await read({ validationSize: 2 });
      expect([train.count, validation!.count, test.count]).toEqual([6, 2, 6]);
      expect(classes).toEqual(emotions);
      const batch = await test.batch(Int32Array.of(1, 0), { epoch: 0 });
      expect([batch.audio.shape, batch.image.shape]).toEqual([
        [2, 257, 188, 1],
        [2, 2, 8, 8, 3],
      ]);
      expect([...batch.label.dataSync()]).toEqual([9 % 6, 8 % 6]);
      // The middle of each half: frames 1 and 3 of clips 9 and 8, the whole of a plain picture.
      const image = batch.image.dataSync();
      const frame = (position: number, k: number): number => red(image[(position * 2 + k) * 192]!);
      expect([frame(0, 0), frame(0, 1), frame(1, 0), frame(1, 1)]).toEqual([91, 93, 81, 83]);
      expect(image[2]).toBeCloseTo((1 - 0.406) / 0.225, 4);
      const audio = batch.audio.dataSync();
      expect(audio.every(Number.isFinite)).toBe(true);
      expect(Math.max(...audio)).toBeGreaterThan(0);
      tf.dispose(batch);
    });
  });

  it('draws frames anew each epoch in training, and the same when a run resumes', async () => {
    await cremaD();
    await expectConstantMemory(async () => {
      const { train } = await read({ frames: 1 });
      const draw = async (epoch: number): Promise<number[]> => {
        const batch = await train.batch(Int32Array.of(0, 1, 2, 3), { epoch });
        const image = batch.image.dataSync();
        tf.dispose(batch);
        return [0, 1, 2, 3].map((position) => red(image[position * 192]!));
      };
      const epochs = [await draw(0), await draw(1), await draw(2)];
      expect(new Set(epochs.map((frames) => frames.join())).size).toBeGreaterThan(1);
      epochs.flat().forEach((value, i) => {
        expect(Math.floor(value / 10)).toBe(i % 4);
        expect(value % 10).toBeLessThan(4);
      });
      expect(await draw(1)).toEqual(epochs[1]);
    });
  });

  it('says what is wrong with a copy', async () => {
    await expect(read()).rejects.toMatchObject({
      code: 'io',
      message: expect.stringContaining('train.csv, which lists clips of CREMA-D') as string,
    });
    await cremaD();
    await rm(join(folder, 'AudioWAV', 'clip3.wav'));
    await rm(join(folder, 'Image-01-FPS', 'clip5'), { recursive: true });
    await expect(read()).rejects.toMatchObject({
      code: 'io',
      message: expect.stringMatching(
        /2 of 8 lack them: .*clip3\.wav, .*clip5 \(0 of 2 frames\)\./,
      ) as string,
    });
    await cremaD();
    await expect(read({ frames: 5 })).rejects.toThrow('at least 5 frames of each clip');
    await writeFile(join(folder, 'test.csv'), 'clip8;SAD\n');
    await expect(read()).rejects.toThrow('test.csv, line 1: expected a clip and its class');
    // A name is looked for within the folder.
    for (const name of ['../../secret', '/etc/passwd', '..', 'a\\b', 'a\0']) {
      await writeFile(join(folder, 'test.csv'), `${name},SAD\n`);
      await expect(read()).rejects.toThrow('test.csv, line 1: expected a clip and its class');
    }
    await writeFile(join(folder, 'test.csv'), 'clip8,BORED\n');
    await expect(read()).rejects.toThrow('Found "BORED" of clip clip8.');
    await writeFile(join(folder, 'test.csv'), '\n');
    await expect(read()).rejects.toThrow('expected at least one clip. Found none.');
    await writeFile(join(folder, 'test.csv'), 'clip8,SAD\n');
    await expect(read()).rejects.toThrow(
      'labels of the test clips: expected each of 6 classes. Found none of class 0, 1, 3, 4, 5.',
    );
    await expect(read({ frameSize: 0 })).rejects.toThrow('`frameSize`');
  });

  it('names a file that cannot be decoded when its batch is made', async () => {
    await cremaD();
    await expectConstantMemory(async () => {
      const { test } = await read();
      await writeFile(join(folder, 'Image-01-FPS', 'clip8', 'frame_1.png'), 'no picture');
      await expect(test.batch(Int32Array.of(0), { epoch: 0 })).rejects.toMatchObject({
        code: 'invalid-data',
        message: expect.stringMatching(/clip8.frame_1\.png: expected an image/) as string,
      });
      // The decoder knows SVG as well, which can name other files and ask for any size.
      const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"/>';
      await writeFile(join(folder, 'Image-01-FPS', 'clip8', 'frame_1.png'), svg);
      await expect(test.batch(Int32Array.of(0), { epoch: 0 })).rejects.toThrow(
        /frame_1\.png: expected an image, PNG or JPEG. Found a file that begins with 3c 73 76 67/,
      );
      const slow = wavFile(new Array<number>(1000).fill(0.5), { sampleRate: 1 });
      await writeFile(join(folder, 'AudioWAV', 'clip9.wav'), slow);
      await expect(test.batch(Int32Array.of(1), { epoch: 0 })).rejects.toThrow(
        /clip9\.wav: expected 1000 … 768000 samples a second. Found 1\./,
      );
      await writeFile(join(folder, 'AudioWAV', 'clip9.wav'), 'no sound');
      await expect(test.batch(Int32Array.of(1), { epoch: 0 })).rejects.toThrow(
        /clip9\.wav: expected a wav file/,
      );
      await expect(test.batch(Int32Array.of(6), { epoch: 0 })).rejects.toThrow(
        'an integer from 0 to 5. Found 6.',
      );
    });
  });
});

describe('readKineticsSounds', () => {
  it('takes its classes from its lists, in alphabetical order', async () => {
    const train = await clips('audio', 'visual', 0, 6);
    const test = await clips('audio', 'visual', 6, 6);
    await writeFile(join(folder, 'my_train.txt'), train.join('\n'));
    await writeFile(join(folder, 'my_test.txt'), test.join('\n'));
    const { classes, train: source } = await readKineticsSounds({ folder, frameSize: 4 });
    expect(classes).toEqual([...emotions].sort());
    const batch = await source.batch(Int32Array.of(0), { epoch: 0 });
    expect(batch.image.shape).toEqual([1, 3, 4, 4, 3]);
    expect(classes[batch.label.dataSync()[0]!]).toBe('NEU');
    tf.dispose(batch);
  });
});

describe('readModelnet40', () => {
  const shapes = async (): Promise<void> => {
    for (const [label, name] of ['chair', 'airplane'].entries()) {
      for (const split of ['train', 'test']) {
        const path = join(folder, name, split);
        await mkdir(path, { recursive: true });
        for (const view of [1, 7]) {
          await picture(join(path, `${name}_0001_${String(view).padStart(3, '0')}.png`), [
            100 * label + view,
            0,
            0,
          ]);
        }
      }
    }
  };

  it('sees each shape from front and rear', async () => {
    await shapes();
    await expectConstantMemory(async () => {
      const { train, test, classes } = await readModelnet40({ folder, size: 6 });
      expect([train.count, test.count, classes]).toEqual([2, 2, ['airplane', 'chair']]);
      const batch = await test.batch(Int32Array.of(1, 0), { epoch: 0 });
      expect([batch.front.shape, batch.rear.shape]).toEqual([
        [2, 6, 6, 3],
        [2, 6, 6, 3],
      ]);
      expect([...batch.label.dataSync()]).toEqual([1, 0]);
      const [front, rear] = [batch.front.dataSync(), batch.rear.dataSync()];
      expect([red(front[0]!), red(rear[0]!), red(front[108]!), red(rear[108]!)]).toEqual([
        1, 7, 101, 107,
      ]);
      tf.dispose(batch);
    });
  });

  it('says what is wrong with a copy', async () => {
    await expect(readModelnet40({ folder: join(folder, 'nowhere') })).rejects.toMatchObject({
      code: 'io',
      message: expect.stringContaining('Expected a folder for each class of ModelNet40') as string,
    });
    await shapes();
    await rm(join(folder, 'chair', 'test', 'chair_0001_007.png'));
    await expect(readModelnet40({ folder })).rejects.toThrow(
      'expected the views 1 and 7 of each shape. Found 1 of chair_0001.',
    );
    await rm(join(folder, 'chair', 'test', 'chair_0001_001.png'));
    await expect(readModelnet40({ folder })).rejects.toThrow('Expected pictures called');
  });
});

describe('pictures', () => {
  it('need a package that says how to be installed', async () => {
    await expect(loadDecoder('no-such-package-for-pictures')).rejects.toMatchObject({
      code: 'unsupported',
      message: expect.stringContaining('npm install sharp') as string,
    });
  });

  it('are cropped within their bounds, between 8 and 100 % of the area and 3 : 4 and 4 : 3', () => {
    const random = resumeRandom(randomState(1));
    for (const [width, height] of [
      [320, 240],
      [40, 200],
      [1, 1],
    ] as const) {
      for (let draw = 0; draw < 200; draw++) {
        const area = randomArea(width, height, random);
        expect(area.left >= 0 && area.left + area.width <= width && area.width >= 1).toBe(true);
        expect(area.top >= 0 && area.top + area.height <= height && area.height >= 1).toBe(true);
        // Sides are whole numbers.
        expect(area.width / area.height).toBeLessThanOrEqual((4 / 3) * 1.05);
        expect(area.width / area.height).toBeGreaterThanOrEqual((3 / 4) * 0.95);
      }
    }
  });
});
