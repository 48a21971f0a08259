import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers';
import {
  hasKernel,
  runKernel,
  seededUniform,
  type TrainingKernel,
  trainingKernels,
  uniformKey,
} from '@multigrad/core/kernels';
import { expectConstantMemory, testedBackends } from '@multigrad/test-support';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { innerProduct, numericGradient } from '../testing/numeric-gradient.ts';
import { normalDistribution } from '../testing/normal-distribution.ts';
import { normalValues } from '../testing/seeded-tensors.ts';
import { useBackend } from '../use-backend.ts';

/** float32 against float64, relative to the largest number or 1. */
const tolerance = 1e-5;

interface Input {
  readonly values: ArrayLike<number>;
  readonly shape: number[];
  readonly dtype?: 'float32' | 'int32';
}

async function run(
  name: TrainingKernel,
  inputs: Readonly<Record<string, Input>>,
  attributes: Readonly<Record<string, unknown>> = {},
): Promise<Float32Array[]> {
  return expectConstantMemory(() =>
    tf.tidy(() => {
      const tensors = Object.fromEntries(
        Object.entries(inputs).map(([key, { values, shape, dtype = 'float32' }]) => [
          key,
          tf.tensor(Array.from(values), shape, dtype),
        ]),
      );
      return runKernel(name, tensors, attributes).map((out) => out.dataSync<'float32'>().slice());
    }),
  );
}

function expectClose(found: readonly Float32Array[], expected: readonly ArrayLike<number>[]): void {
  expect(found.length).toBe(expected.length);
  found.forEach((values, k) => {
    const wanted = Array.from(expected[k]!);
    expect(values.length, `output ${k}`).toBe(wanted.length);
    // Inputs are of size 1: a result that is small because terms cancel carries their rounding, not its own.
    const magnitude = wanted.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
    const worst = wanted.reduce(
      (most, value, i) => Math.max(most, Math.abs(values[i]! - value)),
      0,
    );
    expect(worst / magnitude, `output ${k}`).toBeLessThanOrEqual(tolerance);
  });
}

const matrices = fc.record({
  rows: fc.integer({ min: 1, max: 40 }),
  columns: fc.integer({ min: 1, max: 11 }),
  seed: fc.nat(1000),
});

/** Away from 0 and 6, where some activations have no derivative. */
const awayFromCorners = (values: Float32Array): number[] =>
  Array.from(values, (value) => (Math.abs(value) < 0.01 || Math.abs(value - 6) < 0.01 ? 1 : value));

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** Activations by their definition, and whether the gradient reads the input or the output. */
const activations: readonly [TrainingKernel, 'x' | 'y', (x: number) => number][] = [
  ['ReluGrad', 'y', (x) => Math.max(0, x)],
  ['Relu6Grad', 'x', (x) => Math.min(6, Math.max(0, x))],
  ['LeakyReluGrad', 'x', (x) => (x > 0 ? x : 0.3 * x)],
  ['EluGrad', 'y', (x) => (x > 0 ? x : Math.expm1(x))],
  ['SigmoidGrad', 'y', sigmoid],
  ['TanhGrad', 'y', Math.tanh],
];

function softmax(z: ArrayLike<number>): number[] {
  const powers = Array.from(z, Math.exp);
  const total = powers.reduce((a, b) => a + b);
  return powers.map((power) => power / total);
}

/** A function of each row, on a flat matrix. */
function byRow(
  matrix: ArrayLike<number>,
  columns: number,
  f: (row: number[]) => readonly number[],
): number[] {
  const rows = Array.from({ length: matrix.length / columns }, (_, row) =>
    f(Array.from(matrix).slice(row * columns, (row + 1) * columns)),
  );
  return rows.flat();
}

/** Mean and biased variance of a column. */
function moments(
  x: ArrayLike<number>,
  columns: number,
  c: number,
): { mean: number; variance: number } {
  const column = Array.from(x).filter((_, i) => i % columns === c);
  const mean = column.reduce((a, b) => a + b) / column.length;
  return { mean, variance: column.reduce((a, b) => a + (b - mean) ** 2, 0) / column.length };
}

/**
 * Whether numbers of this variance are far enough apart: gradients are handed the mean in float32, and its rounding counts
 * by its ratio to the deviation.
 */
const isSpread = (variance: number): boolean => variance > 0.3;

function normalize(
  x: ArrayLike<number>,
  scale: ArrayLike<number>,
  offset: ArrayLike<number>,
  epsilon: number,
  given?: { mean: ArrayLike<number>; variance: ArrayLike<number> },
): number[] {
  const columns = scale.length;
  const own = Array.from(scale, (_, c) => moments(x, columns, c));
  return Array.from(x, (value, i) => {
    const c = i % columns;
    const mean = given === undefined ? own[c]!.mean : given.mean[c]!;
    const variance = given === undefined ? own[c]!.variance : given.variance[c]!;
    return (scale[c]! * (value - mean)) / Math.sqrt(variance + epsilon) + offset[c]!;
  });
}

function squareOf(x: ArrayLike<number>): number {
  return innerProduct(x, x);
}

/** The product of the transposed left matrix and a right one, flat, in float64. */
function gradientOf(left: ArrayLike<number>, right: ArrayLike<number>, batch: number): number[] {
  const [inputs, outputs] = [left.length / batch, right.length / batch];
  return Array.from({ length: inputs * outputs }, (_, at) => {
    const [i, o] = [Math.floor(at / outputs), at % outputs];
    let sum = 0;
    for (let b = 0; b < batch; b += 1) sum += left[b * inputs + i]! * right[b * outputs + o]!;
    return sum;
  });
}

describe.each(testedBackends())('training kernels on %s', (backend) => {
  beforeAll(async () => {
    await useBackend(backend);
  });

  it.each(activations)('%s is the derivative', async (name, saved, f) => {
    await fc.assert(
      fc.asyncProperty(matrices, async ({ rows, columns, seed }) => {
        const shape = [rows, columns];
        const x = awayFromCorners(normalValues(rows * columns, seed + 1).map((v) => 4 * v));
        const dy = normalValues(rows * columns, seed + 2);
        const value = Float32Array.from(saved === 'x' ? x : x.map(f));
        const expected = x.map((at, i) => dy[i]! * numericGradient(([v]) => f(v!), [at])[0]!);
        expectClose(
          await run(
            name,
            { dy: { values: dy, shape }, [saved]: { values: value, shape } },
            { alpha: 0.3 },
          ),
          [expected],
        );
      }),
      { numRuns: 20 },
    );
  });

  it('SoftmaxGrad and LogSoftmaxGrad are the derivatives', async () => {
    await fc.assert(
      fc.asyncProperty(matrices, async ({ rows: many, columns, seed }) => {
        const rows = Math.min(many, 7);
        const shape = [rows, columns];
        const z = normalValues(rows * columns, seed + 1).map((v) => 3 * v);
        const dy = normalValues(rows * columns, seed + 2);
        const probabilities = (x: ArrayLike<number>): number[] => byRow(x, columns, softmax);
        for (const [name, f] of [
          ['SoftmaxGrad', probabilities],
          ['LogSoftmaxGrad', (x: ArrayLike<number>) => probabilities(x).map(Math.log)],
        ] as const) {
          expectClose(await run(name, { dy: { values: dy, shape }, y: { values: f(z), shape } }), [
            numericGradient((x) => innerProduct(f(x), dy), z),
          ]);
        }
      }),
      { numRuns: 20 },
    );
  });

  describe('GramianOfProducts', () => {
    const products = fc.record({
      batch: fc.integer({ min: 1, max: 19 }),
      inputs: fc.integer({ min: 1, max: 21 }),
      outputs: fc.integer({ min: 1, max: 19 }),
      count: fc.integer({ min: 1, max: 4 }),
      power: fc.constantFrom(-24, -12, 0, 12, 24),
    });
    const named = (left: Input, rows: readonly Input[]): Record<string, Input> => ({
      left,
      ...Object.fromEntries(rows.map((row, k) => [`row${k}`, row])),
    });

    it('is the Gramian of the gradients, to float64 precision', async () => {
      await fc.assert(
        fc.asyncProperty(products, async ({ batch, inputs, outputs, count, power }) => {
          const left = normalValues(batch * inputs, 1).map((v) => v * 10 ** (power / 3));
          const rows = Array.from({ length: count }, (_, k) =>
            normalValues(batch * outputs, k + 2).map((v) => v * 10 ** (k % 2 === 0 ? power : 0)),
          );
          const [packed] = await run(
            'GramianOfProducts',
            named(
              { values: left, shape: [batch, inputs] },
              rows.map((values) => ({ values, shape: [batch, outputs] })),
            ),
          );
          expect(packed!.length).toBe(count + count * (count + 1) + 1);
          const gradients = rows.map((row) => gradientOf(left, row, batch));
          const lengths = gradients.map((gradient) => Math.hypot(...gradient));
          let at = count;
          for (let i = 0; i < count; i += 1) {
            expect(packed![i]! / lengths[i]!).toBeCloseTo(1, 6);
            for (let j = i; j < count; j += 1, at += 2) {
              const exact = innerProduct(gradients[i]!, gradients[j]!) / packed![i]! / packed![j]!;
              // Gradients of random samples cancel to 1 / √batch of their sum, and float64 has room for that.
              expect(Math.abs(packed![at]! + packed![at + 1]! - exact)).toBeLessThanOrEqual(1e-11);
            }
          }
          const ratios = rows.map((row, k) => {
            const total = Array.from({ length: batch }, (_, b) =>
              Math.sqrt(
                squareOf(left.slice(b * inputs, (b + 1) * inputs)) *
                  squareOf(row.slice(b * outputs, (b + 1) * outputs)),
              ),
            ).reduce((a, b) => a + b);
            return (total / lengths[k]!) ** 2;
          });
          expect(packed!.at(-1)! / Math.max(...ratios)).toBeCloseTo(1, 5);
        }),
        { numRuns: 40 },
      );
    });

    it('says where samples cancel, and marks gradients that are not finite', async () => {
      const left = { values: [1, 2, 1, 2], shape: [2, 2] };
      const rowOf = (...values: number[]): Input => ({ values, shape: [2, 2] });
      const [cancelled] = await run(
        'GramianOfProducts',
        named(left, [rowOf(1, 1, 1, 1), rowOf(3, -1, -3, 1)]),
      );
      expect(cancelled![0]).toBeCloseTo(2 * Math.hypot(1, 2) * Math.SQRT2, 5);
      expect([cancelled![1], ...cancelled!.slice(4)]).toEqual([0, 0, 0, 0, 0, Infinity]);
      const [zero] = await run('GramianOfProducts', named(left, [rowOf(0, 0, 0, 0)]));
      expect([...zero!]).toEqual([0, 0, 0, 0]);
      const [broken] = await run(
        'GramianOfProducts',
        named(left, [rowOf(1, NaN, 1, 1), rowOf(1, 1, 1, 1), rowOf(1, 1, 1, Infinity)]),
      );
      expect([...broken!.slice(0, 3)].map(Number.isFinite)).toEqual([false, true, false]);
    });

    it('refuses factors that do not fit', async () => {
      const left = { values: [1, 2, 3, 4], shape: [2, 2] };
      for (const [row, found] of [
        [{ values: [1, 2, 3], shape: [3, 1] }, '[3, 1]'],
        [{ values: [1, 2], shape: [2] }, '[2]'],
      ] as const) {
        const given = { ...row, values: [...row.values], shape: [...row.shape] };
        await expect(run('GramianOfProducts', named(left, [given]))).rejects.toThrow(
          `rows as [batch, outputs], batch >= 1. Found [2, 2] and ${found}.`,
        );
      }
    });
  });

  it('SparseSoftmaxCrossEntropy gives losses and their derivative', async () => {
    await fc.assert(
      fc.asyncProperty(matrices, async ({ rows: many, columns: some, seed }) => {
        const [rows, classes] = [Math.min(many, 7), some + 1];
        const z = normalValues(rows * classes, seed + 1).map((v) => 5 * v + 200);
        const labels = Array.from({ length: rows }, (_, i) => (i * 7 + seed) % classes);
        const losses = (x: ArrayLike<number>): number[] =>
          byRow(x, classes, (row) => {
            const largest = Math.max(...row);
            const total = row.reduce((sum, v) => sum + Math.exp(v - largest), 0);
            return row.map((v) => Math.log(total) - (v - largest));
          }).filter((_, i) => i % classes === labels[Math.floor(i / classes)]);
        expectClose(
          await run('SparseSoftmaxCrossEntropy', {
            logits: { values: z, shape: [rows, classes] },
            labels: { values: labels, shape: [rows], dtype: 'int32' },
          }),
          [losses(z), numericGradient((x) => losses(x).reduce((a, b) => a + b), z)],
        );
      }),
      { numRuns: 20 },
    );
    const [losses, gradient] = await run('SparseSoftmaxCrossEntropy', {
      logits: { values: [1, 2, 3, 4, 1000, -1000, 1, 1], shape: [4, 2] },
      labels: { values: [2, -1, 1, -2], shape: [4], dtype: 'int32' },
    });
    expect([...losses!]).toEqual([NaN, 0, 2000, NaN]);
    expect([...gradient!]).toEqual([NaN, NaN, 0, 0, 1, -1, NaN, NaN]);
  });

  it('BatchNormTraining and its gradient agree with the definition', async () => {
    await fc.assert(
      fc.asyncProperty(matrices, async ({ rows: many, columns, seed }) => {
        const [rows, epsilon] = [many + 1, 1e-3];
        const shape = [rows, columns];
        const x = normalValues(rows * columns, seed + 1).map((v, i) => 2 * v + (i % columns));
        const [scale, offset] = [normalValues(columns, seed + 2), normalValues(columns, seed + 3)];
        const dy = normalValues(rows * columns, seed + 4);
        const own = Array.from(scale, (_, c) => moments(x, columns, c));
        const [mean, variance] = [own.map((m) => m.mean), own.map((m) => m.variance)];
        fc.pre(variance.every(isSpread));
        const inverse = variance.map((value) => 1 / Math.sqrt(value + epsilon));
        const vector = (values: ArrayLike<number>): Input => ({ values, shape: [columns] });
        expectClose(
          await run(
            'BatchNormTraining',
            { x: { values: x, shape }, scale: vector(scale), offset: vector(offset) },
            { epsilon },
          ),
          [normalize(x, scale, offset, epsilon), mean, variance, inverse],
        );
        expectClose(
          await run('BatchNormTrainingGrad', {
            dy: { values: dy, shape },
            x: { values: x, shape },
            scale: vector(scale),
            mean: vector(mean),
            inverseDeviation: vector(inverse),
          }),
          [
            numericGradient((v) => innerProduct(normalize(v, scale, offset, epsilon), dy), x),
            numericGradient((v) => innerProduct(normalize(x, v, offset, epsilon), dy), scale),
            numericGradient((v) => innerProduct(normalize(x, scale, v, epsilon), dy), offset),
          ],
        );
      }),
      { numRuns: 15 },
    );
  });

  it('BatchNormTraining keeps its digits beside a mean far from zero', async () => {
    const [rows, columns, epsilon] = [50, 5, 1e-5];
    const x = normalValues(rows * columns, 1).map((value) => 1000 + 0.1 * value);
    const [scale, offset] = [normalValues(columns, 2), normalValues(columns, 3)];
    const [y] = await run(
      'BatchNormTraining',
      {
        x: { values: x, shape: [rows, columns] },
        scale: { values: scale, shape: [columns] },
        offset: { values: offset, shape: [columns] },
      },
      { epsilon },
    );
    expectClose([y!], [normalize(x, scale, offset, epsilon)]);
  });

  it('BatchNormInferenceGrad agrees with the definition', async () => {
    await fc.assert(
      fc.asyncProperty(matrices, async ({ rows, columns, seed }) => {
        const epsilon = 1e-3;
        const shape = [rows, columns];
        const [x, dy] = [
          normalValues(rows * columns, seed + 1),
          normalValues(rows * columns, seed + 2),
        ];
        const [mean, scale, offset] = [3, 4, 5].map((k) => normalValues(columns, seed + k)) as [
          Float32Array,
          Float32Array,
          Float32Array,
        ];
        const variance = normalValues(columns, seed + 6).map((v) => v * v + 0.1);
        const vector = (values: ArrayLike<number>): Input => ({ values, shape: [columns] });
        const by = (f: (v: Float64Array) => number[], at: Float32Array): number[] =>
          numericGradient((v) => innerProduct(f(v), dy), at);
        expectClose(
          await run(
            'BatchNormInferenceGrad',
            {
              dy: { values: dy, shape },
              x: { values: x, shape },
              mean: vector(mean),
              variance: vector(variance),
              scale: vector(scale),
            },
            { epsilon },
          ),
          [
            by((v) => normalize(v, scale, offset, epsilon, { mean, variance }), x),
            by((v) => normalize(x, scale, offset, epsilon, { mean: v, variance }), mean),
            by((v) => normalize(x, scale, offset, epsilon, { mean, variance: v }), variance),
            by((v) => normalize(x, v, offset, epsilon, { mean, variance }), scale),
            by((v) => normalize(x, scale, v, epsilon, { mean, variance }), offset),
          ],
        );
      }),
      { numRuns: 15 },
    );
  });

  it('are all there', () => {
    const missing = Object.keys(trainingKernels).filter(
      (name) => !hasKernel(name as TrainingKernel),
    );
    expect(missing).toEqual([]);
  });

  it('LayerNorm adds up the gradients of scale and offset over many rows', async () => {
    const [rows, channels] = [601, 7];
    const shape = [rows, channels];
    const [x, dy] = [normalValues(rows * channels, 1), normalValues(rows * channels, 2)];
    const [scale, offset] = [normalValues(channels, 3), normalValues(channels, 4)];
    const vector = (values: ArrayLike<number>): Input => ({ values, shape: [values.length] });
    const [, mean, inverse] = await run(
      'LayerNorm',
      { x: { values: x, shape }, scale: vector(scale), offset: vector(offset) },
      { epsilon: 0 },
    );
    const [, dScale, dOffset] = await run('LayerNormGrad', {
      dy: { values: dy, shape },
      x: { values: x, shape },
      scale: vector(scale),
      mean: vector(mean!),
      inverseDeviation: vector(inverse!),
    });
    const sumOver = (f: (row: number, i: number) => number): number[] =>
      Array.from({ length: channels }, (_, c) =>
        Array.from({ length: rows }, (_, row) => f(row, row * channels + c)).reduce(
          (a, b) => a + b,
        ),
      );
    const wanted = [
      sumOver((row, i) => dy[i]! * (x[i]! - mean![row]!) * inverse![row]!),
      sumOver((_, i) => dy[i]!),
    ];
    expectClose([dScale!, dOffset!], wanted);
  });

  it('LayerNorm and its gradient agree with the definition', async () => {
    await fc.assert(
      fc.asyncProperty(matrices, async ({ rows: many, columns, seed }) => {
        const [rows, channels, epsilon] = [Math.min(many, 6), columns + 1, 1e-3];
        const shape = [rows, channels];
        const x = normalValues(rows * channels, seed + 1).map((v, i) => 2 * v + (i % 3));
        const [scale, offset] = [
          normalValues(channels, seed + 2),
          normalValues(channels, seed + 3),
        ];
        const dy = normalValues(rows * channels, seed + 4);
        // A row's moments are those of a column of one number a channel.
        const own = Array.from({ length: rows }, (_, row) =>
          moments(x.slice(row * channels, (row + 1) * channels), 1, 0),
        );
        fc.pre(own.every(({ variance }) => isSpread(variance)));
        const mean = own.map((m) => m.mean);
        const inverse = own.map((m) => 1 / Math.sqrt(m.variance + epsilon));
        const layer = (
          v: ArrayLike<number>,
          a: ArrayLike<number>,
          b: ArrayLike<number>,
        ): number[] =>
          byRow(v, channels, (row) => {
            const { mean: m, variance } = moments(row, 1, 0);
            return row.map(
              (value, c) => (a[c]! * (value - m)) / Math.sqrt(variance + epsilon) + b[c]!,
            );
          });
        const vector = (values: ArrayLike<number>): Input => ({ values, shape: [values.length] });
        expectClose(
          await run(
            'LayerNorm',
            { x: { values: x, shape }, scale: vector(scale), offset: vector(offset) },
            { epsilon },
          ),
          [layer(x, scale, offset), mean, inverse],
        );
        expectClose(
          await run('LayerNormGrad', {
            dy: { values: dy, shape },
            x: { values: x, shape },
            scale: vector(scale),
            mean: vector(mean),
            inverseDeviation: vector(inverse),
          }),
          [
            numericGradient((v) => innerProduct(layer(v, scale, offset), dy), x),
            numericGradient((v) => innerProduct(layer(x, v, offset), dy), scale),
            numericGradient((v) => innerProduct(layer(x, scale, v), dy), offset),
          ],
        );
      }),
      { numRuns: 15 },
    );
  });

  it.each([false, true])(
    'Gelu and its gradient agree with the definition, approximate %s',
    async (approximate) => {
      await fc.assert(
        fc.asyncProperty(matrices, async ({ rows, columns, seed }) => {
          const shape = [rows, columns];
          const x = normalValues(rows * columns, seed + 1).map((v) => 2 * v);
          const dy = normalValues(rows * columns, seed + 2);
          const f = (v: number): number =>
            approximate
              ? (v / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (v + 0.044715 * v ** 3)))
              : v * normalDistribution(v);
          expectClose(await run('Gelu', { x: { values: x, shape } }, { approximate }), [
            Array.from(x, f),
          ]);
          expectClose(
            await run(
              'GeluGrad',
              { dy: { values: dy, shape }, x: { values: x, shape } },
              { approximate },
            ),
            [Array.from(x, (at, i) => dy[i]! * numericGradient(([v]) => f(v!), [at])[0]!)],
          );
        }),
        { numRuns: 10 },
      );
    },
  );

  it('SeededDropout keeps what the key says, in its proportion', async () => {
    const shape = [37, 101];
    const size = 37 * 101;
    const x = normalValues(size, 1);
    const key = uniformKey(7, 3, 'encoder/dropout');
    const kept = Array.from(x, (value, i) => (seededUniform(key, i) >= 0.3 ? value / 0.7 : 0));
    const inputs = { x: { values: x, shape } };
    expectClose(await run('SeededDropout', inputs, { rate: 0.3, key }), [kept]);
    expect(kept.filter((value) => value === 0).length / size).toBeCloseTo(0.3, 1);
    expect(uniformKey(7, 4, 'encoder/dropout')).not.toEqual(key);
    expectClose(await run('SeededDropout', inputs, { rate: 0, key }), [x]);
  });

  it('FiniteRows finds rows with NaN or infinity, wherever they stand', async () => {
    const sizes = [1, 3, 4, 5, 40, 33_000, 70_001];
    const row = (size: number, at: number, value: number): Input => {
      const values = normalValues(size, size).fill(3e38, 0, 1);
      values[at % size] = value;
      return { values, shape: [size] };
    };
    for (const value of [1, NaN, Infinity, -Infinity]) {
      const inputs = Object.fromEntries(
        sizes.map((size, k) => [`row${k}`, row(size, 69_999, k % 2 === 0 ? value : 2)]),
      );
      const expected = sizes.map((_, k) => (k % 2 === 1 || value === 1 ? 1 : 0));
      expect(await run('FiniteRows', inputs)).toEqual([Float32Array.from(expected)]);
    }
  });

  it('writes over what is spent, and never over what a clone or another shape shares', async () => {
    await expectConstantMemory(() =>
      tf.tidy(() => {
        const weights = [1];
        const attributes = { weights, learningRate: 1, momentum: 1, weightDecay: 0, spent: true };
        const row0 = tf.tensor1d([1, 2]);
        const update = (variable: tf.Tensor, velocity: tf.Tensor): tf.Tensor[] =>
          runKernel('MomentumUpdate', { variable, velocity, row0 }, attributes);
        const [theta, v] = update(tf.tensor1d([5, 5]), tf.tensor1d([1, 1]));
        const clones = [theta!.clone(), v!.clone(), tf.reshape(theta!, [1, 2])];
        const read = theta!.dataSync<'float32'>();
        const [next, nextV] = update(theta!, v!);
        expect([...next!.dataSync(), ...nextV!.dataSync()]).toEqual([0, -3, 3, 5]);
        for (const value of [read, ...clones.map((clone) => clone.dataSync())]) {
          expect([
            [3, 2],
            [2, 3],
          ]).toContainEqual([...value]);
        }
        const [last] = update(tf.add(next!, 0), tf.add(nextV!, 0));
        expect([...last!.dataSync(), ...next!.dataSync()]).toEqual([-4, -10, 0, -3]);
      }),
    );
  });

  it('MomentumUpdate and AdamUpdate follow their formulas', async () => {
    const sizes = fc.record({
      size: fc.integer({ min: 1, max: 40 }),
      count: fc.integer({ min: 1, max: 4 }),
      seed: fc.nat(1000),
      nesterov: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(sizes, async ({ size, count, seed, nesterov }) => {
        const [theta, first, second, ...rows] = Array.from({ length: 3 + count }, (_, k) =>
          normalValues(size, seed + k),
        ) as [Float32Array, Float32Array, Float32Array, ...Float32Array[]];
        const squares = second.map((value) => value * value);
        const weights = Array.from(normalValues(count, seed + 9));
        const vector = (values: Float32Array): Input => ({ values, shape: [size] });
        const inputs = Object.fromEntries(rows.map((row, k) => [`row${k}`, vector(row)]));
        const g = Array.from(theta, (value, i) =>
          rows.reduce((sum, row, k) => sum + weights[k]! * row[i]!, 0.01 * value),
        );
        const rate = 0.1;
        const v = g.map((value, i) => 0.7 * first[i]! + value);
        expectClose(
          await run(
            'MomentumUpdate',
            { variable: vector(theta), velocity: vector(first), ...inputs },
            { weights, learningRate: rate, momentum: 0.7, weightDecay: 0.01, nesterov },
          ),
          [v.map((own, i) => theta[i]! - rate * (nesterov ? g[i]! + 0.7 * own : own)), v],
        );
        const m = g.map((value, i) => 0.9 * first[i]! + 0.1 * value);
        const s = g.map((value, i) => 0.99 * squares[i]! + 0.01 * value ** 2);
        expectClose(
          await run(
            'AdamUpdate',
            { variable: vector(theta), mean: vector(first), square: vector(squares), ...inputs },
            {
              weights,
              learningRate: rate,
              beta1: 0.9,
              beta2: 0.99,
              epsilon: 1e-2,
              weightDecay: 0.01,
              decoupledDecay: 0.2,
              correction1: 0.5,
              correction2: 0.25,
            },
          ),
          [
            m.map(
              (own, i) => 0.98 * theta[i]! - (rate * own) / 0.5 / (Math.sqrt(s[i]! / 0.25) + 1e-2),
            ),
            m,
            s,
          ],
        );
      }),
      { numRuns: 20 },
    );
  });

  it('names what is wrong with an input', async () => {
    const x: Input = { values: [1, 2], shape: [2] };
    await expect(run('ReluGrad', { dy: x })).rejects.toThrow(
      'Kernel ReluGrad should get `y` as float32 of shape [2]. Found no such input.',
    );
    await expect(run('ReluGrad', { dy: x, y: { ...x, dtype: 'int32' } })).rejects.toThrow(
      'Found int32 of shape [2].',
    );
  });
});
