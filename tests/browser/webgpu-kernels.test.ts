import '@tensorflow/tfjs-layers';
import { useBackend } from '@multigrad/backends';
import { runKernel, type TrainingKernel } from '@multigrad/core/kernels';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { numericGradient } from '../../packages/backends/src/testing/numeric-gradient.ts';
import { normalValues } from '../../packages/backends/src/testing/seeded-tensors.ts';

// Our kernels for WebGPU beside their formulas in float64. A Vulkan driver that computes on the processor plays the device.

/** float32 against float64, relative to the largest number or 1. */
const tolerance = 1e-5;

interface Input {
  readonly values: ArrayLike<number>;
  readonly shape?: number[];
  readonly dtype?: 'float32' | 'int32';
}

/** Runs a kernel, and expects it to leave nothing behind. */
async function run(
  name: TrainingKernel | 'Sum',
  inputs: Readonly<Record<string, Input>>,
  attributes: Readonly<Record<string, unknown>> = {},
): Promise<number[][]> {
  const before = tf.memory();
  const tensors = Object.fromEntries(
    Object.entries(inputs).map(([key, { values, shape, dtype }]) => [
      key,
      tf.tensor(Array.from(values), shape ?? [values.length], dtype),
    ]),
  );
  const outputs = tf.tidy(() => runKernel(name as TrainingKernel, tensors, attributes));
  const numbers = await Promise.all(outputs.map((output) => output.data()));
  tf.dispose([outputs, tensors]);
  expect(tf.memory().numTensors).toBe(before.numTensors);
  expect(tf.memory().numDataBuffers).toBe(before.numDataBuffers);
  return numbers.map((values) => Array.from(values));
}

function expectClose(found: readonly number[], wanted: ArrayLike<number>, what: string): void {
  expect(found.length, what).toBe(wanted.length);
  const reference = Array.from(wanted);
  const magnitude = Math.max(1, ...reference.map(Math.abs));
  const worst = Math.max(...found.map((value, i) => Math.abs(value - reference[i]!)));
  expect(worst / magnitude, what).toBeLessThanOrEqual(tolerance);
}

const rowsNamed = (rows: readonly ArrayLike<number>[]): Record<string, Input> =>
  Object.fromEntries(rows.map((values, k) => [`row${k}`, { values }]));

const sumOf = (count: number, f: (i: number) => number): number => {
  let sum = 0;
  for (let i = 0; i < count; i += 1) sum += f(i);
  return sum;
};

describe('kernels on WebGPU', () => {
  beforeAll(async () => {
    await useBackend('webgpu');
  });
  afterAll(() => {
    tf.removeBackend('webgpu');
  });

  // One part and several, as many rows as a shader reads and more.
  it.each([
    [2, 1],
    [2, 300],
    [3, 40_000],
    [7, 500],
    [9, 17_000],
  ])('GramianOfRows of %d rows of %d numbers', async (count, size) => {
    const rows = Array.from({ length: count }, (_, k) =>
      normalValues(size, k + 1).map((value) => value * 10 ** (7 * k - 25)),
    );
    const [packed] = await run('GramianOfRows', rowsNamed(rows));
    const largest = rows.map((row) => row.reduce((most, x) => Math.max(most, Math.abs(x)), 0));
    expect(packed!.slice(0, count)).toEqual(largest);
    const lengths = rows.map((row) => Math.sqrt(sumOf(size, (i) => row[i]! ** 2)));
    let at = count;
    for (let i = 0; i < count; i += 1) {
      for (let j = i; j < count; j += 1, at += 2) {
        const scale = largest[i]! * largest[j]!;
        const wanted = sumOf(size, (d) => rows[i]![d]! * rows[j]![d]!) / scale;
        const error = Math.abs(packed![at]! + packed![at + 1]! - wanted);
        // The error that the engine counts with: relative to the lengths of the rows.
        expect(error).toBeLessThanOrEqual((2 ** -22 * (lengths[i]! * lengths[j]!)) / scale);
      }
    }
  });

  it('GramianOfRows tells zeros, infinity and NaN', async () => {
    const [packed] = await run(
      'GramianOfRows',
      rowsNamed([
        [0, 0, 0],
        [1, -2, 0],
        [NaN, 1, 2],
        [1, -Infinity, 2],
      ]),
    );
    expect(packed!.slice(0, 2)).toEqual([0, 2]);
    expect(packed![2]).toBeNaN();
    expect(packed![3]).toBe(Infinity);
    expect(packed!.slice(4, 6)).toEqual([0, 0]);
  });

  it.each([1, 3, 9])('CombineRows of %d rows', async (count) => {
    const rows = Array.from({ length: count }, (_, k) => normalValues(700, k));
    const weights = rows.map((_, k) => 1 / (k + 1) - 0.4);
    const [sum] = await run('CombineRows', rowsNamed(rows), { weights });
    const wanted = rows[0]!.map((_, i) => sumOf(count, (k) => weights[k]! * rows[k]![i]!));
    expectClose(sum!, wanted, 'sum');
  });

  it.each([
    [1, 0, false],
    [2, 0.01, false],
    [2, 0.01, true],
    [9, 0, true],
  ])('MomentumUpdate of %d rows, decay %f, nesterov %s', async (count, weightDecay, nesterov) => {
    const rows = Array.from({ length: count }, (_, k) => normalValues(300, k));
    const weights = rows.map((_, k) => 0.7 - k / 5);
    const [theta, velocity] = [normalValues(300, 20), normalValues(300, 21)];
    const [learningRate, momentum] = [0.1, 0.9];
    const found = await run(
      'MomentumUpdate',
      { variable: { values: theta }, velocity: { values: velocity }, ...rowsNamed(rows) },
      { weights, learningRate, momentum, weightDecay, nesterov, spent: true },
    );
    const g = theta.map(
      (x, i) => weightDecay * x + sumOf(count, (k) => weights[k]! * rows[k]![i]!),
    );
    const v = velocity.map((x, i) => momentum * x + g[i]!);
    const moved = theta.map(
      (x, i) => x - learningRate * (nesterov ? g[i]! + momentum * v[i]! : v[i]!),
    );
    expectClose(found[0]!, moved, 'variable');
    expectClose(found[1]!, v, 'velocity');
  });

  it('AdamUpdate', async () => {
    const rows = [normalValues(300, 1), normalValues(300, 2)];
    const [theta, mean] = [normalValues(300, 3), normalValues(300, 4)];
    const square = normalValues(300, 5).map((x) => x * x);
    const weights = [0.3, 0.7];
    const [learningRate, beta1, beta2, epsilon] = [0.01, 0.9, 0.999, 1e-7];
    const [weightDecay, decoupledDecay, correction1, correction2] = [0.02, 0.1, 0.19, 0.002];
    const found = await run(
      'AdamUpdate',
      {
        variable: { values: theta },
        mean: { values: mean },
        square: { values: square },
        ...rowsNamed(rows),
      },
      {
        ...{ weights, learningRate, beta1, beta2, epsilon, weightDecay },
        ...{ decoupledDecay, correction1, correction2, spent: true },
      },
    );
    const g = theta.map((x, i) => weightDecay * x + 0.3 * rows[0]![i]! + 0.7 * rows[1]![i]!);
    const m = mean.map((x, i) => beta1 * x + (1 - beta1) * g[i]!);
    const s = square.map((x, i) => beta2 * x + (1 - beta2) * g[i]! ** 2);
    const moved = theta.map(
      (x, i) =>
        (1 - learningRate * decoupledDecay) * x -
        (learningRate * (m[i]! / correction1)) / (Math.sqrt(s[i]! / correction2) + epsilon),
    );
    [moved, m, s].forEach((wanted, k) => expectClose(found[k]!, wanted, `output ${k}`));
  });

  it.each<[TrainingKernel, 'x' | 'y', (x: number) => number]>([
    ['ReluGrad', 'y', (y) => (y > 0 ? 1 : 0)],
    ['Relu6Grad', 'x', (x) => (x > 0 && x <= 6 ? 1 : 0)],
    ['LeakyReluGrad', 'x', (x) => (x > 0 ? 1 : 0.2)],
    ['EluGrad', 'y', (y) => (y >= 0 ? 1 : y + 1)],
    ['SigmoidGrad', 'y', (y) => y * (1 - y)],
    ['TanhGrad', 'y', (y) => 1 - y * y],
  ])('%s', async (name, other, slope) => {
    const dy = normalValues(300, 1);
    const values = normalValues(300, 2).map((x, i) => (i === 7 ? 0 : 4 * x));
    const [dx] = await run(name, { dy: { values: dy }, [other]: { values } }, { alpha: 0.2 });
    expectClose(
      dx!,
      dy.map((d, i) => d * slope(values[i]!)),
      'dx',
    );
  });

  it.each([
    [[5, 3], 0, 1],
    [[300, 40], 0, 1],
    [[2, 60, 50, 20], [0, 1, 2], 3],
    [[3, 4, 5, 6], [0, 1], 2],
  ])('Sum of %j over axes %j', async (shape, axis, kept) => {
    const values = normalValues(tf.util.sizeFromShape(shape), 3).map((x) => x + 0.1);
    const [sum] = await run('Sum', { x: { values, shape } }, { axis });
    const width = tf.util.sizeFromShape(shape.slice(kept));
    const wanted = Array.from({ length: width }, (_, c) =>
      sumOf(values.length / width, (row) => values[row * width + c]!),
    );
    expectClose(sum!, wanted, 'sum');
  });

  it('SparseSoftmaxCrossEntropy, with missing labels and labels out of range', async () => {
    const [rows, classes] = [6, 300];
    const logits = normalValues(rows * classes, 1).map((x) => 20 * x);
    const labels = [0, 299, -1, 17, 300, 5];
    const found = await run('SparseSoftmaxCrossEntropy', {
      logits: { values: logits, shape: [rows, classes] },
      labels: { values: labels, dtype: 'int32' },
    });
    labels.forEach((label, row) => {
      const own = Array.from(logits.slice(row * classes, (row + 1) * classes));
      const slopes = found[1]!.slice(row * classes, (row + 1) * classes);
      if (label === -1) return expect([found[0]![row], ...slopes].every((x) => x === 0)).toBe(true);
      if (label >= classes)
        return expect([found[0]![row], ...slopes].every(Number.isNaN)).toBe(true);
      const loss = (z: ArrayLike<number>): number => {
        const most = Math.max(...Array.from(z));
        return Math.log(sumOf(classes, (c) => Math.exp(z[c]! - most))) + most - z[label]!;
      };
      expectClose([found[0]![row]!], [loss(own)], `loss ${row}`);
      return expectClose(slopes, numericGradient(loss, own), `gradient ${row}`);
    });
  });

  it.each([
    [6, 3],
    [3000, 20],
  ])('BatchNormTraining and its gradient, %d rows of %d channels', async (rows, channels) => {
    const shape = [rows, channels];
    const x = normalValues(rows * channels, 1).map((value) => 2 * value + 3);
    const dy = normalValues(rows * channels, 2);
    const [scale, offset] = [normalValues(channels, 3), normalValues(channels, 4)];
    const epsilon = 1e-3;
    const byChannel = (f: (c: number) => number): number[] =>
      Array.from({ length: channels }, (_, c) => f(c));
    const overRows = (f: (i: number, c: number) => number): number[] =>
      byChannel((c) => sumOf(rows, (row) => f(row * channels + c, c)));
    const mean = overRows((i) => x[i]! / rows);
    const variance = overRows((i, c) => (x[i]! - mean[c]!) ** 2 / rows);
    const inverse = variance.map((value) => 1 / Math.sqrt(value + epsilon));
    const standard = x.map((value, i) => (value - mean[i % channels]!) * inverse[i % channels]!);
    const y = standard.map((value, i) => value * scale[i % channels]! + offset[i % channels]!);
    const found = await run(
      'BatchNormTraining',
      { x: { values: x, shape }, scale: { values: scale }, offset: { values: offset } },
      { epsilon },
    );
    [y, mean, variance, inverse].forEach((wanted, k) =>
      expectClose(found[k]!, wanted, `output ${k}`),
    );
    const dOffset = overRows((i) => dy[i]!);
    const dScale = overRows((i) => dy[i]! * standard[i]!);
    const dx = dy.map((d, i) => {
      const c = i % channels;
      const rest = (dOffset[c]! + standard[i]! * dScale[c]!) / rows;
      return scale[c]! * inverse[c]! * (d - rest);
    });
    const gradients = await run('BatchNormTrainingGrad', {
      dy: { values: dy, shape },
      x: { values: x, shape },
      scale: { values: scale },
      mean: { values: mean },
      inverseDeviation: { values: inverse },
    });
    [dx, dScale, dOffset].forEach((wanted, k) =>
      expectClose(gradients[k]!, wanted, `gradient ${k}`),
    );
  });
});
