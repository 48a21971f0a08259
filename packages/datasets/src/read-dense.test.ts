import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expectConstantMemory } from '@multigrad/test-support';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseNpy } from './npy.ts';
import { readCityscapes, readNyuv2 } from './read-dense.ts';

/** A .npy file as NumPy writes it: the header ends on a multiple of 64 bytes. */
function npy(shape: readonly number[], values: Float32Array | Float64Array | Uint8Array): Buffer {
  const type =
    values instanceof Float32Array ? '<f4' : values instanceof Float64Array ? '<f8' : '|u1';
  const tuple = `(${shape.join(', ')}${shape.length === 1 ? ',' : ''})`;
  const words = `{'descr': '${type}', 'fortran_order': False, 'shape': ${tuple}, }`;
  const header = words.padEnd(Math.ceil((words.length + 11) / 64) * 64 - 11) + '\n';
  const start = Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, 0, 0]);
  start.writeUInt16LE(header.length, 8);
  return Buffer.concat([start, Buffer.from(header), Buffer.from(values.buffer)]);
}

describe('parseNpy', () => {
  it('reads types and shapes, and says what it cannot read', () => {
    const numbers = [1.5, -2, 3, 0.25, 5, 6];
    const single = parseNpy(npy([2, 3], Float32Array.from(numbers)), 'a');
    expect(single.shape).toEqual([2, 3]);
    expect([...single.values]).toEqual(numbers);
    expect([...parseNpy(npy([6], Float64Array.from(numbers)), 'a').values]).toEqual(numbers);
    expect([...parseNpy(npy([2], Uint8Array.of(7, 255)), 'a').values]).toEqual([7, 255]);
    const file = npy([2, 3], Float32Array.from(numbers));
    expect(() => parseNpy(file.subarray(0, -1), 'x.npy')).toThrow(
      'x.npy: expected 6 numbers of type <f4 for the shape (2, 3). Found 23 bytes of them.',
    );
    const big = Buffer.from(file.toString('latin1').replace('<f4', '>f4'), 'latin1');
    expect(() => parseNpy(big, 'x.npy')).toThrow('Found numbers of type >f4');
    const columns = Buffer.from(file.toString('latin1').replace('False', 'True '), 'latin1');
    expect(() => parseNpy(columns, 'x.npy')).toThrow('in row-major order');
    expect(() => parseNpy(Buffer.from('no file of NumPy'), 'x.npy')).toThrow(
      'a .npy file of NumPy',
    );
  });
});

describe('copies on disk', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'multigrad-dense-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  const value = (sample: number, at: number): number => sample + at / 100;
  const write = (
    set: string,
    part: string,
    sample: number,
    shape: number[],
    of: (at: number) => number,
  ): void => {
    mkdirSync(join(folder, set, part), { recursive: true });
    const count = shape.reduce((a, b) => a * b, 1);
    const values = Float32Array.from({ length: count }, (_, at) => of(at));
    writeFileSync(join(folder, set, part, `${sample}.npy`), npy(shape, values));
  };
  const writeSets = (labels: string, normals: boolean): void => {
    for (const [set, count] of [
      ['train', 3],
      ['val', 2],
    ] as const) {
      for (let sample = 0; sample < count; sample += 1) {
        write(set, 'image', sample, [2, 3, 3], (at) => value(sample, at));
        write(set, labels, sample, [2, 3], (at) => at - 1);
        write(set, 'depth', sample, [2, 3, 1], (at) => (at === 2 ? 0 : value(sample, at)));
        if (normals) write(set, 'normal', sample, [2, 3, 3], (at) => -value(sample, at));
      }
    }
  };

  it('of NYUv2 are read in the layout of MTAN', async () => {
    writeSets('label', true);
    await expectConstantMemory(async () => {
      const { train, validation } = await readNyuv2({ folder });
      expect([train.count, validation.count]).toEqual([3, 2]);
      const batch = await train.batch(Int32Array.of(2, 0), { epoch: 0 });
      expect(batch.image.shape).toEqual([2, 2, 3, 3]);
      expect(batch.image.dataSync()[4]).toBeCloseTo(2.04, 6);
      expect([...batch.segmentation.dataSync()].slice(0, 6)).toEqual([-1, 0, 1, 2, 3, 4]);
      expect(batch.segmentation.dtype).toBe('int32');
      const depths = [...batch.depth.dataSync()];
      expect(depths[2]).toBeNaN();
      expect(depths[6 + 3]).toBeCloseTo(0.03, 6);
      const normals = [...batch.normal.dataSync()];
      expect(normals.slice(6, 9).every(Number.isNaN)).toBe(true);
      expect(normals[9]).toBeCloseTo(-2.09, 6);
      tf.dispose(batch);
      await expect(train.batch(Int32Array.of(3), { epoch: 0 })).rejects.toThrow('from 0 to 2');
    });
  });

  it('of Cityscapes too, and incomplete ones are refused', async () => {
    writeSets('label_7', false);
    await expectConstantMemory(async () => {
      const { validation } = await readCityscapes({ folder });
      const batch = await validation.batch(Int32Array.of(1), { epoch: 0 });
      expect(batch.depth.shape).toEqual([1, 2, 3]);
      tf.dispose(batch);
      await expect(readCityscapes({ folder, labels: 'label_19' })).rejects.toThrow(
        'label_19: expected a folder of .npy files',
      );
      rmSync(join(folder, 'val', 'depth', '0.npy'));
      await expect(readCityscapes({ folder })).rejects.toThrow(
        'expected 2 files 0.npy, 1.npy and so on. Found 1 without 0.npy.',
      );
      write('val', 'depth', 0, [2, 3, 1], () => 1);
      write('train', 'depth', 1, [3, 3, 1], () => 1);
      const { train } = await readCityscapes({ folder });
      await expect(train.batch(Int32Array.of(1), { epoch: 0 })).rejects.toThrow(
        'expected a depth of shape (2, 3, 1)',
      );
    });
  });
});
