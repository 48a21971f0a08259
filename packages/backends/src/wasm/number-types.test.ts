import { expectConstantMemory } from '@multigrad/test-support';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, it } from 'vitest';
import { useBackend } from '../use-backend.ts';

beforeAll(async () => {
  await useBackend('wasm');
});

/** Twelve by five cells of a pattern without symmetry. */
const values = Array.from({ length: 60 }, (_, i) => ((i * 7 + 3) % 11) - 5);

function pattern(dtype: 'int32' | 'bool'): tf.Tensor2D {
  return tf.tensor2d(
    dtype === 'bool' ? values.map((v) => (v > 0 ? 1 : 0)) : values,
    [12, 5],
    dtype,
  );
}

/** What was allocated next to a result that is too short would be overwritten. */
function neighbours(): tf.Tensor[] {
  return Array.from({ length: 20 }, () => tf.zeros([7]));
}

describe('booleans on wasm', () => {
  it('are chosen and reversed without a byte beyond them', async () => {
    await expectConstantMemory(() => {
      tf.tidy(() => {
        const [x, zeros] = [pattern('bool'), neighbours()];
        const rows = pattern('bool').arraySync();
        const chosen = tf.where(x, tf.zerosLike(x), x);
        expect(chosen.dtype).toBe('bool');
        expect([...chosen.dataSync()]).toEqual(Array.from({ length: 60 }, () => 0));
        const reversed = tf.reverse(x, 1);
        expect(reversed.dtype).toBe('bool');
        expect(reversed.arraySync()).toEqual(rows.map((row) => [...row].reverse()));
        const band = tf.linalg.bandPart(tf.ones([4, 4], 'bool'), -1, 0);
        expect(band.arraySync()).toEqual([
          [1, 0, 0, 0],
          [1, 1, 0, 0],
          [1, 1, 1, 0],
          [1, 1, 1, 1],
        ]);
        for (const zero of zeros) expect(Math.max(...zero.dataSync())).toBe(0);
      });
    });
  });
});

describe('arithmetic on wasm', () => {
  it('of booleans is that of 0 and 1', async () => {
    await expectConstantMemory(() => {
      tf.tidy(() => {
        const x = tf.tensor1d([1, 0, 1], 'bool');
        for (const f of [tf.abs, tf.neg, tf.relu, tf.sign, tf.square, tf.step]) {
          const found = f(x);
          expect(found.dtype).toBe('bool');
          expect([...found.dataSync()], f.name).toEqual([1, 0, 1]);
        }
        const rest = tf.mod(x, tf.tensor1d([1, 1, 1], 'bool'));
        expect([...rest.dataSync()]).toEqual([0, 0, 0]);
      });
    });
  });

  it('finds no integer that is not a number', async () => {
    await expectConstantMemory(() => {
      tf.tidy(() => {
        const found = tf.isNaN(tf.tensor1d([-5, 0, 7], 'int32'));
        expect(found.dtype).toBe('bool');
        expect([...found.dataSync()]).toEqual([0, 0, 0]);
      });
    });
  });
});

describe.each(['int32', 'bool'] as const)('strided slices of %s on wasm', (dtype) => {
  it('are those cells', async () => {
    await expectConstantMemory(() => {
      tf.tidy(() => {
        const x = pattern(dtype);
        const rows = x.arraySync();
        const every = tf.stridedSlice(x, [1, 4], [12, 0], [3, -2]);
        expect(every.dtype).toBe(dtype);
        expect(every.arraySync()).toEqual([1, 4, 7, 10].map((i) => [rows[i]![4], rows[i]![2]]));
        // One row, its axis dropped.
        const row = tf.stridedSlice(x, [2], [3], [1], 0, 0, 0, 0, 1);
        expect(row.arraySync()).toEqual(rows[2]);
        expect(tf.stridedSlice(x, [3], [3], [1]).shape).toEqual([0, 5]);
      });
    });
  });
});
