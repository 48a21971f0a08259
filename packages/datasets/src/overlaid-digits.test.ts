import { expectConstantMemory } from '@multigrad/test-support';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import type { Digits, Mnist } from './mnist.ts';
import { fashionAndDigit, multiMnist } from './multi-mnist.ts';

/** Digits of one gray value each, which tells them apart; labels go round. */
function plainDigits(count: number, first = 1): Digits {
  return {
    images: Uint8Array.from({ length: count * 784 }, (_, i) => first + Math.floor(i / 784)),
    labels: Uint8Array.from({ length: count }, (_, i) => i % 10),
    count,
  };
}

const mnist: Mnist = { train: plainDigits(100), test: plainDigits(50) };
const every = (count: number): Int32Array => Int32Array.from({ length: count }, (_, i) => i);
const gray = (value: number): number => Math.round(255 * value);

describe('multiMnist', () => {
  it('lays two digits over each other at their corners, the brighter on top', async () => {
    await expectConstantMemory(() => {
      const { train } = multiMnist({ mnist, trainSize: 60, seed: 2 });
      const batch = train.batch(every(60));
      expect(batch.image.shape).toEqual([60, 36, 36, 1]);
      const pixels = batch.image.dataSync();
      const [left, right] = [batch.left.dataSync(), batch.right.dataSync()];
      for (let sample = 0; sample < 60; sample++) {
        const at = (row: number, column: number): number =>
          gray(pixels[sample * 1296 + row * 36 + column]!);
        const [first, second] = [at(0, 0), at(33, 33)];
        expect(first).toBe(sample + 1);
        expect(left[sample]).toBe(sample % 10);
        expect(right[sample]).toBe((second - 1) % 10);
        expect([at(27, 27), at(6, 6)]).toEqual(Array(2).fill(Math.max(first, second)));
        // Outside of both, and just outside of either.
        expect([at(35, 35), at(0, 35), at(34, 20), at(0, 28), at(5, 28), at(28, 5)]).toEqual([
          0, 0, 0, 0, 0, 0,
        ]);
        expect([at(6, 28), at(28, 6)]).toEqual([second, second]);
      }
      // Partners are drawn: neither all the same nor the digit itself.
      expect(new Set(right.map((label, i) => (label - left[i]! + 10) % 10)).size).toBeGreaterThan(
        5,
      );
      tf.dispose(batch);
    });
  });

  it('makes validation samples of other digits, and samples that depend on their place alone', () => {
    const { train, validation, test } = multiMnist({ mnist, trainSize: 60, validationSize: 40 });
    expect([train.count, validation!.count, test.count]).toEqual([60, 40, 50]);
    const batch = validation!.batch(every(40));
    const values = [...new Set(batch.image.dataSync())].map(gray).filter((value) => value > 0);
    expect(Math.min(...values)).toBeGreaterThan(60);
    tf.dispose(batch);
    expect(multiMnist({ mnist, trainSize: 60 }).validation).toBeNull();
    expect(multiMnist({ mnist, testSize: 10, seed: 4 }).test.right).toEqual(
      multiMnist({ mnist, testSize: 10, seed: 4, trainSize: 3 }).test.right,
    );
    expect(multiMnist({ mnist, seed: 1 }).train.right).not.toEqual(
      multiMnist({ mnist, seed: 2 }).train.right,
    );
  });

  it('turns a share of the right half black or white, in equal parts, the same each time', async () => {
    await expectConstantMemory(() => {
      const clean = multiMnist({ mnist, seed: 1 }).train.batch(every(100));
      const noisy = multiMnist({ mnist, noise: 0.5, seed: 1 }).train;
      const batch = noisy.batch(every(100));
      const again = noisy.batch(Int32Array.of(99));
      const [before, after] = [clean.image.dataSync(), batch.image.dataSync()];
      expect(again.image.dataSync()).toEqual(after.slice(99 * 1296));
      let [salt, pepper, right, changedLeft] = [0, 0, 0, 0];
      before.forEach((value, i) => {
        if (i % 36 < 18) changedLeft += Number(after[i] !== value);
        else {
          right += 1;
          if (after[i] === 1) salt += 1;
          if (after[i] === 0 && value > 0) pepper += 1;
        }
      });
      expect(changedLeft).toBe(0);
      const lit = before.filter((value, i) => i % 36 >= 18 && value > 0).length;
      // Five standard deviations of the binomial distribution.
      expect(Math.abs(salt / right - 0.25)).toBeLessThan(5 * Math.sqrt(0.1875 / right));
      expect(Math.abs(pepper / lit - 0.25)).toBeLessThan(5 * Math.sqrt(0.1875 / lit));
      tf.dispose([clean, batch, again]);
    });
  });

  it('refuses what does not fit', () => {
    expect(() => multiMnist({ mnist, trainSize: 90, validationSize: 20 })).toThrow(
      'Options `trainSize` and `validationSize` of `multiMnist` should add up to at most 100. Found 110.',
    );
    expect(() => multiMnist({ mnist, noise: 1.5 })).toThrow('`noise`');
    expect(() => multiMnist({ mnist, trainSize: 0 })).toThrow('`trainSize`');
    const { test } = multiMnist({ mnist });
    expect(() => test.batch(Int32Array.of(50))).toThrow('an integer from 0 to 49. Found 50.');
  });
});

describe('fashionAndDigit', () => {
  it('takes clothes at the left and digits at the right', () => {
    const fashion = { train: plainDigits(100, 150), test: plainDigits(50, 150) };
    const { train } = fashionAndDigit({ fashion, mnist, trainSize: 20 });
    const batch = train.batch(Int32Array.of(3));
    const pixels = batch.image.dataSync();
    tf.dispose(batch);
    expect(gray(pixels[0]!)).toBe(153);
    const value = gray(pixels[33 * 36 + 33]!);
    expect(value).toBeLessThanOrEqual(20);
    expect(train.right[3]).toBe((value - 1) % 10);
    expect(() => fashionAndDigit({ fashion, mnist, noise: -1 })).toThrow('of `fashionAndDigit`');
  });
});
