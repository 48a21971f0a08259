import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseDigits } from './mnist.ts';
import { readMnist } from './read-mnist.ts';

function imageFile(count: number, side = 28): Uint8Array {
  const bytes = new Uint8Array(16 + count * side * side).fill(200, 16);
  bytes.set([0, 0, 8, 3, 0, 0, 0, count, 0, 0, 0, side, 0, 0, 0, side]);
  return bytes;
}

function labelFile(...labels: number[]): Uint8Array {
  return Uint8Array.of(0, 0, 8, 1, 0, 0, 0, labels.length, ...labels);
}

const names = [
  'train-images-idx3-ubyte',
  'train-labels-idx1-ubyte',
  't10k-images-idx3-ubyte',
  't10k-labels-idx1-ubyte',
] as const;

describe('parseDigits', () => {
  const parse = (images: Uint8Array, labels: Uint8Array) => () =>
    parseDigits({ bytes: images, where: 'images' }, { bytes: labels, where: 'labels' });

  it('returns pixels and labels', () => {
    const { images, labels, count } = parse(imageFile(2), labelFile(9, 0))();
    expect(count).toBe(2);
    expect([...labels]).toEqual([9, 0]);
    expect(images).toHaveLength(2 * 784);
    expect(images.every((value) => value === 200)).toBe(true);
  });

  it('refuses what does not fit together', () => {
    expect(parse(imageFile(2), labelFile(1))).toThrow(
      'Expected as many labels as images. Found 1 labels in labels and 2 images in images.',
    );
    expect(parse(imageFile(2), labelFile(1, 10))).toThrow(
      'labels: expected labels from 0 to 9. Found 10 at sample 1.',
    );
    expect(parse(imageFile(1, 27), labelFile(1))).toThrow(
      'images: expected the shape [count, 28, 28] with count >= 1. Found [1, 27, 27].',
    );
    expect(parse(imageFile(0), labelFile())).toThrow('with count >= 1. Found [0, 28, 28].');
    expect(parse(imageFile(1), imageFile(1))).toThrow(
      'labels: expected the shape [count] with count >= 1. Found [1, 28, 28].',
    );
  });
});

describe('readMnist', () => {
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'multigrad-mnist-'));
    const contents = [imageFile(3), labelFile(1, 2, 3), imageFile(1), labelFile(4)];
    await Promise.all(names.map((name, i) => writeFile(join(folder, name), contents[i]!)));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('reads the real digits of the package', async () => {
    const { train, test } = await readMnist();
    const histogram = (labels: Uint8Array) =>
      Array.from({ length: 10 }, (_, digit) => labels.filter((label) => label === digit).length);
    // Counts as published with the data set.
    expect(histogram(train.labels)).toEqual([
      5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949,
    ]);
    expect(histogram(test.labels)).toEqual([980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]);
    expect([...train.labels.subarray(0, 5)]).toEqual([5, 0, 4, 1, 9]);
    expect(train.images).toHaveLength(60_000 * 784);
    expect(test.images).toHaveLength(10_000 * 784);
    // Mean gray value of the training digits, 0.1307 in 0..1: the constant by which they are commonly normalised.
    const sum = train.images.reduce((total, value) => total + value, 0);
    expect(sum / train.images.length / 255).toBeCloseTo(0.1307, 4);
  });

  it("reads a user's folder, plain or compressed", async () => {
    await writeFile(join(folder, `${names[1]}.gz`), gzipSync(labelFile(7, 8, 9)));
    expect([...(await readMnist({ folder })).train.labels]).toEqual([1, 2, 3]);
    await rm(join(folder, names[1]));
    const { train, test } = await readMnist({ folder });
    expect([...train.labels]).toEqual([7, 8, 9]);
    expect([train.count, test.count]).toEqual([3, 1]);
  });

  it('says which file is missing and what to do', async () => {
    await rm(join(folder, names[2]));
    await expect(readMnist({ folder })).rejects.toMatchObject({
      code: 'io',
      message: expect.stringContaining(
        `Found neither ${join(folder, names[2])} nor ${join(folder, names[2])}.gz.`,
      ) as string,
    });
  });

  it('names the file that cannot be read, is no gzip or is malformed', async () => {
    await expect(readMnist({ folder: join(folder, names[0]) })).rejects.toMatchObject({
      code: 'io',
      message: expect.stringContaining(`Cannot read ${join(folder, names[0], '')}`) as string,
    });
    await writeFile(join(folder, names[3]), labelFile(11));
    await expect(readMnist({ folder })).rejects.toMatchObject({
      code: 'invalid-data',
      message: expect.stringContaining(`${join(folder, names[3])}: expected labels`) as string,
    });
    await rm(join(folder, names[3]));
    await writeFile(join(folder, `${names[3]}.gz`), labelFile(4));
    await expect(readMnist({ folder })).rejects.toMatchObject({
      code: 'invalid-data',
      message: expect.stringContaining('expected gzip-compressed data') as string,
    });
  });

  it('refuses a folder that is no path', async () => {
    await expect(readMnist({ folder: 3 as unknown as string })).rejects.toMatchObject({
      code: 'invalid-option',
      message: 'Option `folder` of `readMnist` should be a path. Found 3.',
    });
  });
});
