import { createHash } from 'node:crypto';
import { expectConstantMemory } from '@multigrad/test-support';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { cgMnist, type ColoredDigits } from './cg-mnist.ts';
import { digitColors } from './digit-colors.ts';
import type { Digits, Mnist } from './mnist.ts';
import { readMnist } from './read-mnist.ts';

/** Digits whose images do not matter; labels go round. */
function blankDigits(count: number): Digits {
  return {
    images: new Uint8Array(count * 784).fill(255),
    labels: Uint8Array.from({ length: count }, (_, i) => i % 10),
    count,
  };
}

const blank: Mnist = { train: blankDigits(20_000), test: blankDigits(20_000) };

/** Mean of the channel over the samples that `select` names. */
function meanChannel(
  { colors, count, digits }: ColoredDigits,
  channel: number,
  select: (label: number) => boolean,
): { mean: number; count: number } {
  let [sum, selected] = [0, 0];
  for (let i = 0; i < count; i++) {
    if (!select(digits.labels[i]!)) continue;
    sum += colors[3 * i + channel]!;
    selected += 1;
  }
  return { mean: sum / selected, count: selected };
}

/** Mean of clip(N(mean, deviation²), 0, 1), by the trapezoidal rule over ± 8 deviations. */
function clippedMean(mean: number, deviation: number): number {
  const steps = 4000;
  let [sum, weight] = [0, 0];
  for (let i = 0; i <= steps; i++) {
    const z = -8 + (16 * i) / steps;
    const density = Math.exp(-0.5 * z * z);
    sum += density * Math.min(1, Math.max(0, mean + deviation * z));
    weight += density;
  }
  return sum / weight;
}

/** Five standard errors: clipping only ever narrows the distribution. Fails by chance once in 1.7 million checks. */
const bound = (variance: number, count: number) => 5 * Math.sqrt(variance / count);

describe('cgMnist', () => {
  const channels = [0, 1, 2] as const;

  it.each([0.02, 0.03, 0.05])(
    'draws training colours around the mean of their label (variance %f)',
    (variance) => {
      const { train } = cgMnist({ mnist: blank, variance, seed: 3 });
      for (let label = 0; label < 10; label++) {
        for (const channel of channels) {
          const { mean, count } = meanChannel(train, channel, (other) => other === label);
          const expected = clippedMean(digitColors[label]![channel] / 255, Math.sqrt(variance));
          expect(Math.abs(mean - expected)).toBeLessThan(bound(variance, count));
        }
      }
    },
  );

  it('draws test colours that say nothing about the label', () => {
    const variance = 0.03;
    const { test } = cgMnist({ mnist: blank, variance, seed: 3 });
    for (const channel of channels) {
      const means = digitColors.map((color) => color[channel] / 255);
      const clipped = means.map((mean) => clippedMean(mean, Math.sqrt(variance)));
      const expected = clipped.reduce((sum, mean) => sum + mean, 0) / 10;
      const spread = clipped.reduce((sum, mean) => sum + (mean - expected) ** 2, 0) / 10;
      for (let label = 0; label < 10; label++) {
        const { mean, count } = meanChannel(test, channel, (other) => other === label);
        expect(Math.abs(mean - expected)).toBeLessThan(bound(variance + spread, count));
      }
    }
  });

  it('uses each of the ten mean colours for every test label', () => {
    const { test } = cgMnist({ mnist: blank, testSize: 3000, variance: 0, seed: 3 });
    const seen = new Set<string>();
    const palette = digitColors.map((color) =>
      color.map((value) => Math.fround(value / 255)).join(),
    );
    for (let i = 0; i < test.count; i++) {
      const color = palette.indexOf(test.colors.subarray(3 * i, 3 * i + 3).join());
      expect(color).toBeGreaterThanOrEqual(0);
      seen.add(`${test.digits.labels[i]!} ${color}`);
    }
    expect(seen.size).toBe(100);
  });

  it('keeps colours within 0 to 1 and reaches both ends', () => {
    const { train } = cgMnist({ mnist: blank });
    expect(train.colors.every((value) => value >= 0 && value <= 1)).toBe(true);
    expect(train.colors.includes(0)).toBe(true);
    expect(train.colors.includes(1)).toBe(true);
  });

  it('takes the first digits, with colours that do not depend on the sizes', () => {
    const whole = cgMnist({ mnist: blank, seed: 1 });
    const part = cgMnist({ mnist: blank, trainSize: 7, testSize: 5, seed: 1 });
    expect([part.train.count, part.test.count]).toEqual([7, 5]);
    expect([...part.train.digits.labels]).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(part.train.colors).toEqual(whole.train.colors.slice(0, 21));
    expect(part.test.colors).toEqual(whole.test.colors.slice(0, 15));
  });

  it('gives other colours to another seed, and to the test set', () => {
    const mnist = { train: blankDigits(50), test: blankDigits(50) };
    const [a, again, b] = [0, 0, 1].map((seed) => cgMnist({ mnist, variance: 0.01, seed }));
    expect(a!.train.colors).toEqual(again!.train.colors);
    expect(a!.train.colors).not.toEqual(b!.train.colors);
    expect(a!.test.colors).not.toEqual(b!.test.colors);
    const plain = cgMnist({ mnist: { train: mnist.train, test: mnist.train }, seed: 0 });
    expect(plain.train.colors).not.toEqual(plain.test.colors);
  });

  it('makes batches: gray / 255, and that times the colour', async () => {
    await expectConstantMemory(() => {
      const images = Uint8Array.from({ length: 3 * 784 }, (_, i) => i % 256);
      const digits: Digits = { images, labels: Uint8Array.of(7, 8, 9), count: 3 };
      const { train } = cgMnist({ mnist: { train: digits, test: digits } });
      const batch = train.batch(Int32Array.of(2, 0));
      expect(batch.gray.shape).toEqual([2, 28, 28, 1]);
      expect(batch.color.shape).toEqual([2, 28, 28, 3]);
      expect([batch.label.shape, batch.label.dtype]).toEqual([[2], 'int32']);
      expect([...batch.label.dataSync()]).toEqual([9, 7]);
      const [gray, color] = [batch.gray.dataSync(), batch.color.dataSync()];
      [2, 0].forEach((sample, position) => {
        for (let pixel = 0; pixel < 784; pixel++) {
          const value = Math.fround(images[784 * sample + pixel]! / 255);
          expect(gray[784 * position + pixel]).toBe(value);
          for (const channel of channels) {
            const product = Math.fround(value * train.colors[3 * sample + channel]!);
            expect(color[3 * (784 * position + pixel) + channel]).toBe(product);
          }
        }
      });
      tf.dispose(batch);
    });
  });

  it('refuses a position beyond the last sample and makes nothing', async () => {
    await expectConstantMemory(() => {
      const { train } = cgMnist({ mnist: blank, trainSize: 4 });
      expect(() => train.batch(Int32Array.of(0, 4))).toThrow(
        "A sample's position should be an integer from 0 to 3. Found 4.",
      );
    });
  });

  it('refuses options out of range', () => {
    expect(() => cgMnist({ mnist: blank, trainSize: 20_001 })).toThrow(
      'Option `trainSize` of `cgMnist` should be an integer from 1 to 20000. Found 20001.',
    );
    expect(() => cgMnist({ mnist: blank, testSize: 0 })).toThrow('`testSize`');
    expect(() => cgMnist({ mnist: blank, variance: -0.1 })).toThrow(
      'Option `variance` of `cgMnist` should be a number >= 0. Found -0.1.',
    );
    expect(() => cgMnist({ mnist: blank, variance: Number.NaN })).toThrow('Found NaN');
    expect(() => cgMnist({ mnist: blank, seed: 0.5 })).toThrow('`seed`');
    expect(() => cgMnist({ mnist: blank, varience: 1 } as never)).toThrow('`varience`');
  });

  it('keeps its samples from version to version', async () => {
    await expectConstantMemory(async () => {
      const { train, test } = cgMnist({ mnist: await readMnist(), trainSize: 16, testSize: 16 });
      // Colours to four decimals: independent of the last bit of the runtime's logarithm and cosine.
      const digest = ({ colors, digits }: ColoredDigits) =>
        createHash('sha256')
          .update(Array.from(colors, (value) => value.toFixed(4)).join())
          .update(digits.images)
          .update(digits.labels)
          .digest('hex')
          .slice(0, 16);
      expect([digest(train), digest(test)]).toEqual(['41eeb66a2762ed26', 'f48dd62831719e30']);
      const batch = train.batch(Int32Array.from({ length: 16 }, (_, i) => i));
      const mean = (tensor: tf.Tensor) =>
        Float64Array.from(tensor.dataSync()).reduce((sum, value) => sum + value, 0) / tensor.size;
      // The gray mean was computed from the file by another program.
      const means = [batch.gray, batch.color].map((tensor) => mean(tensor).toFixed(4));
      tf.dispose(batch);
      expect(means).toEqual(['0.1182', '0.0541']);
    });
  });
});
