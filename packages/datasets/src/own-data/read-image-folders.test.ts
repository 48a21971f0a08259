import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expectConstantMemory } from '@multigrad/test-support';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import sharp, { type Sharp } from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dataSets } from './data-sets.ts';
import { readImageFolders, readImages } from './read-image-folders.ts';

const root = mkdtempSync(join(tmpdir(), 'multigrad-pictures-'));
afterAll(() => rmSync(root, { recursive: true }));
beforeAll(async () => {
  await tf.setBackend('cpu');
});

/** A picture of one colour. */
async function picture(
  path: string,
  [r, g, b]: readonly [number, number, number],
  { width = 6, height = 4 } = {},
): Promise<void> {
  mkdirSync(join(root, path, '..'), { recursive: true });
  await sharp({ create: { width, height, channels: 3, background: { r, g, b } } }).toFile(
    join(root, path),
  );
}

const one = Int32Array.of(0);
const epoch = { epoch: 0 };

describe('readImageFolders', () => {
  beforeAll(async () => {
    for (let i = 0; i < 10; i++) {
      for (const [side, blue] of [
        ['front', 0],
        ['rear', 255],
      ] as const) {
        await picture(`${side}/dark/${i}.png`, [10 * i, 0, blue]);
        await picture(`${side}/light/${i}.jpg`, [255, 10 * i, blue]);
      }
    }
    writeFileSync(join(root, 'front/dark/.DS_Store'), '');
    writeFileSync(join(root, 'rear/light/Thumbs.db'), '');
  });

  it('reads classes, names and pixels from 0 to 1', async () => {
    const { inputs, classes, names, parts } = await readImageFolders(join(root, 'front'));
    expect(classes.names).toEqual(['dark', 'light']);
    expect([...classes.labels]).toEqual([
      ...new Array<number>(10).fill(0),
      ...new Array<number>(10).fill(1),
    ]);
    expect(names.slice(0, 2)).toEqual(['dark/0', 'dark/1']);
    expect(parts).toBeUndefined();
    expect(inputs.image).toMatchObject({ kind: 'numbers', shape: [4, 6, 3], count: 20 });
  });

  it.each([true, false])('gives the same batches with `keep: %s`', async (keep) => {
    await expectConstantMemory(async () => {
      const folder = pathToFileURL(join(root, 'rear'));
      const { inputs, classes } = await readImageFolders(folder, { size: [2, 3], keep });
      const data = dataSets({
        inputs: { image: inputs.image },
        targets: { kind: classes },
        parts:
          classes.names.length === 2
            ? Array.from({ length: 20 }, (_, i) => (i % 2 ? 'train' : 'test'))
            : [],
      });
      const batch = await data.test.batch(Int32Array.of(1, 2), epoch);
      expect(batch.image.shape).toEqual([2, 2, 3, 3]);
      const pixels = batch.image.dataSync();
      // The pictures 2 and 4: red 20 and 40 of 255, no green, all blue.
      [20 / 255, 0, 1].forEach((value, channel) => expect(pixels[channel]).toBeCloseTo(value, 6));
      expect(pixels[2 * 3 * 3]).toBeCloseTo(40 / 255, 6);
      tf.dispose(batch);
    });
  });

  it('reads modalities side by side', async () => {
    const folders = { front: join(root, 'front'), rear: join(root, 'rear') };
    const { inputs, classes } = await readImageFolders(folders, { size: 2 });
    const data = dataSets({ inputs, targets: { kind: classes }, standardize: ['front'] });
    const batch = await data.train.batch(one, epoch);
    expect([batch.front.shape, batch.rear.shape]).toEqual([
      [1, 2, 2, 3],
      [1, 2, 2, 3],
    ]);
    tf.dispose(batch);
    // Mean and deviation by channel: the front has no blue at all.
    expect(data.scales['front']?.mean).toHaveLength(3);
    expect(data.scales['front']?.mean[2]).toBeCloseTo(0, 2);
    const fromFiles = await readImageFolders(folders, { size: 2, keep: false });
    expect(() =>
      dataSets({ inputs: fromFiles.inputs, targets: { kind: classes }, standardize: ['rear'] }),
    ).toThrow('read from files as it is needed (see `keep`)');
  });

  it('reads the files that a table names', async () => {
    const files = [3, 1].map((i) => pathToFileURL(join(root, `front/dark/${i}.png`)));
    const column = await readImages(files, { size: 1 });
    expect([...(column as { values: Uint8Array }).values]).toEqual([30, 0, 0, 10, 0, 0]);
    await expect(readImages([])).rejects.toThrow('at least one file');
    await expect(readImages([join(root, 'none.png')])).rejects.toThrow('none.png');
  });

  it('reads gray, 16 bits, transparent and turned pictures', async () => {
    const folder = join(root, 'kinds');
    const write = async (path: string, image: Sharp): Promise<void> => {
      mkdirSync(join(folder, path, '..'), { recursive: true });
      await image.toFile(join(folder, path));
    };
    const clear = { r: 0, g: 0, b: 0, alpha: 0 };
    await write(
      'a/clear.png',
      sharp({ create: { width: 4, height: 2, channels: 4, background: clear } }),
    );
    const half = new Uint16Array(8).fill(32_768);
    await write(
      'a/deep.png',
      sharp(half, { raw: { width: 4, height: 2, channels: 1 } })
        .toColourspace('grey16')
        .png(),
    );
    await write(
      'b/gray.png',
      sharp(new Uint8Array(8).fill(51), { raw: { width: 4, height: 2, channels: 1 } }),
    );
    const sides = Buffer.from([255, 0, 0, 255, 0, 0, 0, 0, 255, 0, 0, 255]);
    // Orientation 6: to be turned clockwise by a quarter; 2 x 2 squares of red above blue come to stand side by side.
    const tall = sharp(sides, { raw: { width: 2, height: 2, channels: 3 } })
      .resize(20, 40, { kernel: 'nearest', fit: 'fill' })
      .withMetadata({ orientation: 6 });
    await write('b/turned.jpg', tall.jpeg({ quality: 100, chromaSubsampling: '4:4:4' }));
    const { inputs, names } = await readImageFolders(folder, { size: [2, 4] });
    const { values } = inputs.image as { values: Uint8Array };
    expect(names).toEqual(['a/clear', 'a/deep', 'b/gray', 'b/turned']);
    const pixel = (sample: number, x: number): number[] => [
      ...values.subarray(sample * 24 + x * 3, sample * 24 + x * 3 + 3),
    ];
    expect(pixel(0, 0)).toEqual([255, 255, 255]);
    for (const value of pixel(1, 0)) expect(Math.abs(value - 128)).toBeLessThanOrEqual(1);
    expect(pixel(2, 3)).toEqual([51, 51, 51]);
    const [left, right] = [pixel(3, 0), pixel(3, 3)];
    expect(left[2]! - left[0]!).toBeGreaterThan(150);
    expect(right[0]! - right[2]!).toBeGreaterThan(150);
    const gray = await readImageFolders(folder, { size: [2, 4], channels: 1 });
    expect(gray.inputs.image.shape).toEqual([2, 4, 1]);
    expect((gray.inputs.image as { values: Uint8Array }).values[16]).toBe(51);
  });

  it('reads parts', async () => {
    for (const [folder, part] of [
      ['train', 6],
      ['val', 2],
      ['test', 3],
    ] as const) {
      for (let i = 0; i < part; i++) {
        await picture(`parts/${folder}/a/${i}.png`, [i, 0, 0]);
        await picture(`parts/${folder}/b/${i}.png`, [i, 0, 0]);
      }
    }
    const folder = join(root, 'parts');
    await expect(readImageFolders(folder)).rejects.toThrow(
      'Found test, train, val, which look like',
    );
    await expect(readImageFolders(folder, { parts: false })).rejects.toThrow(
      'Found something else',
    );
    const { inputs, classes, parts } = await readImageFolders(folder, { parts: true });
    const data = dataSets({ inputs, targets: { kind: classes }, parts: parts! });
    expect([data.train.count, data.validation?.count, data.test.count]).toEqual([12, 4, 6]);
    await expect(readImageFolders(join(root, 'front'), { parts: true })).rejects.toThrow(
      'expected the folders train, test and perhaps validation. Found dark.',
    );
  });

  it('names damaged pictures, at once or when they are needed', async () => {
    for (let i = 0; i < 6; i++)
      await picture(`damaged/a/${i}.png`, [i, 0, 0], { width: 40, height: 40 });
    for (let i = 0; i < 6; i++)
      await picture(`damaged/b/${i}.png`, [i, 0, 0], { width: 40, height: 40 });
    const damaged = join(root, 'damaged/a/2.png');
    const whole = readFileSync(damaged);
    writeFileSync(damaged, whole.subarray(0, whole.length - 40));
    const folder = join(root, 'damaged');
    await expect(readImageFolders(folder)).rejects.toThrow(
      `${damaged}: expected an image. Found: `,
    );
    await expectConstantMemory(async () => {
      const { inputs, classes } = await readImageFolders(folder, { keep: false });
      const parts = Array.from(
        { length: 12 },
        (_, i) => (i % 2 ? 'test' : 'train') as 'test' | 'train',
      );
      const data = dataSets({ inputs, targets: { kind: classes }, parts, validation: 0 });
      await expect(data.train.batch(Int32Array.of(0, 1), epoch)).rejects.toThrow(damaged);
    });
    for (const name of ['0', '1', '3'])
      writeFileSync(join(root, `damaged/b/${name}.png`), 'no picture');
    await expect(readImageFolders(folder, { size: 4 })).rejects.toThrow(
      '4 of 12 pictures cannot be read. ',
    );
  });

  it('says which files are of the wrong kind, size or name', async () => {
    await picture('sizes/a/0.png', [0, 0, 0]);
    await picture('sizes/b/0.png', [0, 0, 0], { width: 7, height: 4 });
    await expect(readImageFolders(join(root, 'sizes'))).rejects.toThrow(
      `${join(root, 'sizes/b/0.png')}: expected 6 x 4 pixels, as in ${join(root, 'sizes/a/0.png')}. Found 7 x 4.`,
    );
    cpSync(join(root, 'front'), join(root, 'fewer'), { recursive: true });
    rmSync(join(root, 'fewer/light/3.jpg'));
    await expect(
      readImageFolders({ front: join(root, 'front'), rear: join(root, 'fewer') }, { size: 2 }),
    ).rejects.toThrow(`\`rear\` has none for ${join(root, 'front/light/3.jpg')}.`);
    writeFileSync(join(root, 'fewer/light/notes.txt'), '');
    await expect(readImageFolders(join(root, 'fewer'))).rejects.toThrow(
      'notes.txt: expected pictures',
    );
    writeFileSync(join(root, 'sizes/list.csv'), '');
    await expect(readImageFolders(join(root, 'sizes'))).rejects.toThrow('Found the file list.csv.');
    await picture('twice/a/0.png', [0, 0, 0]);
    await picture('twice/a/0.jpg', [0, 0, 0]);
    await expect(readImageFolders(join(root, 'twice'))).rejects.toThrow('Found 0.jpg and 0.png.');
    mkdirSync(join(root, 'empty/a'), { recursive: true });
    await expect(readImageFolders(join(root, 'empty'))).rejects.toThrow('Found none.');
    await expect(readImageFolders(join(root, 'nowhere'))).rejects.toMatchObject({ code: 'io' });
    await expect(readImageFolders({})).rejects.toThrow('at least one folder');
  });

  it('refuses options out of their range', async () => {
    const folder = join(root, 'front');
    await expect(readImageFolders(folder, { size: 0 })).rejects.toThrow('`size`');
    await expect(
      readImageFolders(folder, { size: [1, 2, 3] as unknown as [1, 2] }),
    ).rejects.toThrow('[1,2,3]');
    await expect(readImageFolders(folder, { channels: 2 as 3 })).rejects.toThrow('`channels`');
    await expect(readImageFolders(folder, { size: 20_000 })).rejects.toThrow('more than 2 GB');
  });
});
