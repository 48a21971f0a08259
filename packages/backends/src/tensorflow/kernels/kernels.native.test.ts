import '@tensorflow/tfjs-layers';
import { runKernel, type TrainingKernel } from '@multigrad/core/kernels';
import { expectConstantMemory } from '@multigrad/test-support';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { relativeDifference } from '../../testing/compare-backends.ts';
import { convolutionGeometries, convolutionInfo, poolingInfo } from '../../testing/geometries.ts';
import {
  convolution,
  convolutionFilterGradient,
  convolutionInputGradient,
  maxPoolGradient,
} from '../../testing/reference.ts';
import { normalValues } from '../../testing/seeded-tensors.ts';
import { useBackend } from '../../use-backend.ts';
import { nodeBackend } from '../open-tensorflow.ts';

// Runs on a build of native TensorFlow, against float64 references; see `tests/native/run`.

/** Float32 sums in another order. */
const float32Sums = 1e-5;
/** Float64 sums rounded once. */
const roundedOnce = 2 ** -23;

type Inputs = Readonly<Record<string, readonly [ArrayLike<number>, number[]]>>;

async function run(
  name: string,
  inputs: Inputs,
  attributes: Readonly<Record<string, unknown>> = {},
): Promise<Float32Array[]> {
  return expectConstantMemory(() =>
    tf.tidy(() => {
      const tensors = Object.fromEntries(
        Object.entries(inputs).map(([key, [values, shape]]) => [
          key,
          tf.tensor(Float32Array.from(values), shape),
        ]),
      );
      return runKernel(name as TrainingKernel, tensors, attributes).map((tensor) =>
        tensor.dataSync<'float32'>().slice(),
      );
    }),
  );
}

/** Tensors that the addon holds. */
function heldTensors(): number {
  const { binding } = nodeBackend();
  return (binding as unknown as { getNumOfTensors(): number }).getNumOfTensors();
}

beforeAll(async () => {
  const { name } = await useBackend('tensorflow');
  expect(name).toBe('tensorflow');
});

describe('the addon', () => {
  it('brings the kernels, and holds as many tensors as TensorFlow.js does', async () => {
    const { binding } = nodeBackend();
    expect(binding.kernels).toContain('MaxPoolGrad');
    const before = heldTensors();
    await run('CombineRows', { row0: [[1], [1]] }, { weights: [2] });
    expect(heldTensors()).toBe(before);
  });

  it('refuses what makes no sense', () => {
    const call = (...words: [string, number[], Float64Array, number[][]]) =>
      nodeBackend().binding.runKernel!(...words);
    expect(() => call('Nothing', [], new Float64Array(0), [])).toThrow('no kernel Nothing');
    expect(() => call('CombineRows', [1e9], new Float64Array([1]), [[1]])).toThrow(/no tensor/);
  });
});

describe('views', () => {
  /** Neither TensorFlow.js nor the addon holds more tensors afterwards. */
  async function keepsNothing(body: () => void): Promise<void> {
    const before = heldTensors();
    await expectConstantMemory(() => tf.tidy(body));
    expect(heldTensors()).toBe(before);
  }

  it('reshapes without a copy: the buffer stays until the last view is freed', async () => {
    await keepsNothing(() => {
      const x = tf.tensor2d([1, 2, 3, 4, 5, 6], [2, 3]);
      const doubled = tf.mul(x, 2);
      const view = tf.reshape(doubled, [3, -1]);
      doubled.dispose();
      expect(view.shape).toEqual([3, 2]);
      expect(tf.sum(view, 0).arraySync()).toEqual([18, 24]);
      const whole = tf.reshape(tf.tensor1d([7, 8], 'int32'), [2, 1]);
      expect([whole.dtype, whole.arraySync()]).toEqual(['int32', [[7], [8]]]);
      expect(tf.reshape(tf.scalar(true, 'bool'), [1]).dataSync()[0]).toBe(1);
      expect(tf.reshape(tf.tensor1d(['a', 'b']), [2, 1]).arraySync()).toEqual([['a'], ['b']]);
      expect(tf.reshape(tf.zeros([0, 3]), [3, 0]).shape).toEqual([3, 0]);
      const scalar = tf.reshape(tf.tensor1d([9]), []);
      expect([scalar.shape, scalar.dataSync()[0]]).toEqual([[], 9]);
    });
  });

  it('an update that writes over its variable leaves a view of it alone', async () => {
    await keepsNothing(() => {
      const [variable, velocity, row0] = [tf.tensor1d([1, 2]), tf.tensor1d([0, 0]), tf.ones([2])];
      const computed = tf.add(variable, 0);
      const view = tf.reshape(computed, [2, 1]);
      const [updated] = runKernel(
        'MomentumUpdate',
        { variable: computed, velocity, row0 },
        {
          weights: [1],
          learningRate: 1,
          momentum: 0,
          weightDecay: 0,
          nesterov: false,
          spent: true,
        },
      );
      expect(updated!.arraySync()).toEqual([0, 1]);
      expect(view.arraySync()).toEqual([[1], [2]]);
    });
  });

  it('casts to the same type without a copy', async () => {
    await keepsNothing(() => {
      const x = tf.tensor1d([1, 2]);
      const same = tf.cast(x, 'float32');
      x.dispose();
      expect(same.arraySync()).toEqual([1, 2]);
      expect(tf.cast(tf.tensor1d([1.5, -2.5]), 'int32').arraySync()).toEqual([1, -2]);
    });
  });
});

describe('products of matrices', () => {
  // Around the sizes of vectors, panels, blocks of rows and blocks of the depth.
  const around = (...sizes: number[]) =>
    fc.constantFrom(...sizes.flatMap((size) => [size - 1, size, size + 1]));
  const rows = fc.oneof(fc.integer({ min: 1, max: 13 }), around(96, 192));
  const depths = fc.oneof(fc.integer({ min: 1, max: 40 }), around(512, 1024));
  const columns = fc.oneof(fc.integer({ min: 1, max: 20 }), around(64, 128));
  const batches = fc.constantFrom<[number, number]>([1, 1], [1, 1], [1, 3], [3, 1], [2, 2]);

  it.each([
    [false, false],
    [true, false],
    [false, true],
    [true, true],
  ])('are exact to float32, transposed %s and %s', async (transposeA, transposeB) => {
    await fc.assert(
      fc.asyncProperty(rows, depths, columns, batches, async (m, k, n, [countA, countB]) => {
        const a = normalValues(countA * m * k, 1);
        const b = normalValues(countB * k * n, 2);
        const bias = normalValues(n, 3);
        const matrices: Inputs = {
          a: [a, [countA, ...(transposeA ? [k, m] : [m, k])]],
          b: [b, [countB, ...(transposeB ? [n, k] : [k, n])]],
        };
        const transposes = { transposeA, transposeB };
        const count = Math.max(countA, countB);
        const exact = new Float64Array(count * m * n);
        for (let batch = 0; batch < count; batch += 1) {
          const [atA, atB] = [countA > 1 ? batch * m * k : 0, countB > 1 ? batch * k * n : 0];
          for (let i = 0; i < m; i += 1) {
            for (let d = 0; d < k; d += 1) {
              const x = a[atA + (transposeA ? d * m + i : i * k + d)]!;
              for (let j = 0; j < n; j += 1) {
                const y = b[atB + (transposeB ? j * k + d : d * n + j)]!;
                exact[(batch * m + i) * n + j]! += x * y;
              }
            }
          }
        }
        const [product] = await run('BatchMatMul', matrices, transposes);
        expect(relativeDifference(product!, exact)).toBeLessThanOrEqual(float32Sums);
        const [rectified] = await run(
          '_FusedMatMul',
          { ...matrices, bias: [bias, [n]] },
          { ...transposes, activation: 'relu' },
        );
        const exactRectified = exact.map((value, i) => Math.max(0, value + bias[i % n]!));
        // Where all numbers are negative there is nothing to compare with.
        if (exactRectified.some((value) => value > 0)) {
          const distance = relativeDifference(rectified!, exactRectified);
          expect(distance).toBeLessThanOrEqual(float32Sums);
        } else expect(rectified!.every((value) => value === 0)).toBe(true);
      }),
      { numRuns: 10 },
    );
  });

  it('keep NaN', async () => {
    const [y] = await run(
      '_FusedMatMul',
      {
        a: [
          [NaN, 1],
          [1, 1, 2],
        ],
        b: [
          [1, 2],
          [1, 2, 1],
        ],
      },
      { transposeA: false, transposeB: false, activation: 'relu' },
    );
    expect([...y!]).toEqual([NaN]);
  });
});

describe('max-pooling', () => {
  it('gives the gradient to the first maximum, ties and padding included', async () => {
    const pools = convolutionGeometries.filter(({ pad }) => typeof pad === 'string');
    await fc.assert(
      fc.asyncProperty(pools, fc.integer({ min: -4, max: 1 }), async (geometry, shift) => {
        const info = poolingInfo(geometry);
        const { inShape, outShape } = info;
        // Whole numbers: many ties.
        const x = normalValues(tf.util.sizeFromShape(inShape), 1).map((v) => Math.round(v) + shift);
        const dy = normalValues(tf.util.sizeFromShape(outShape), 2);
        const { kernel: filterSize, strides, pad } = geometry;
        const [found] = await run(
          'MaxPoolGrad',
          { dy: [dy, outShape], input: [x, inShape], output: [dy, outShape] },
          { filterSize, strides, pad },
        );
        const exact = maxPoolGradient(x, dy, info);
        expect(relativeDifference(found!, exact)).toBeLessThanOrEqual(float32Sums);
      }),
      { numRuns: 60 },
    );
  });
});

describe('the input gradient of a convolution', () => {
  it('on few channels and on many', async () => {
    const geometries = convolutionGeometries
      .filter(({ pad }) => typeof pad === 'string')
      .chain((geometry) =>
        fc
          .record({ channels: fc.constantFrom(1, 2, 3, 4, 7), outputs: fc.constantFrom(8, 16, 5) })
          .map((sizes) => ({ ...geometry, ...sizes })),
      );
    await fc.assert(
      fc.asyncProperty(geometries, async (geometry) => {
        const info = convolutionInfo(geometry);
        const { inShape, filterShape, outShape } = info;
        const filter = normalValues(tf.util.sizeFromShape(filterShape), 1);
        const dy = normalValues(tf.util.sizeFromShape(outShape), 2);
        const { strides, pad } = geometry;
        const [found] = await run(
          'Conv2DBackpropInput',
          { dy: [dy, outShape], filter: [filter, filterShape] },
          { strides, pad, dataFormat: 'NHWC', inputShape: inShape },
        );
        const exact = convolutionInputGradient(dy, filter, info);
        // Where nothing reaches a pixel there is nothing to compare with.
        if (exact.every((value) => value === 0)) expect(found!.every((v) => v === 0)).toBe(true);
        else expect(relativeDifference(found!, exact)).toBeLessThanOrEqual(float32Sums);
      }),
      { numRuns: 60 },
    );
  });
});

describe('a convolution with a bias', () => {
  it.each(['linear', 'relu'])('is the definition, activation %s', async (activation) => {
    const geometries = convolutionGeometries.filter(({ pad }) => typeof pad === 'string');
    await fc.assert(
      fc.asyncProperty(geometries, async (geometry) => {
        const info = convolutionInfo(geometry);
        const { inShape, filterShape, outChannels } = info;
        const x = normalValues(tf.util.sizeFromShape(inShape), 1);
        const filter = normalValues(tf.util.sizeFromShape(filterShape), 2);
        const bias = normalValues(outChannels, 3);
        const given: Inputs = { x: [x, inShape], filter: [filter, filterShape] };
        const attributes = {
          strides: geometry.strides,
          pad: geometry.pad,
          dataFormat: 'NHWC',
          dilations: [1, 1],
        };
        const [found] = await run(
          'FusedConv2D',
          { ...given, bias: [bias, [outChannels]] },
          { ...attributes, activation },
        );
        const exact = Array.from(convolution(x, filter, info), (value, i) => {
          const sum = value + bias[i % outChannels]!;
          return activation === 'relu' ? Math.max(0, sum) : sum;
        });
        // Where all numbers are negative there is nothing to compare with.
        if (exact.every((value) => value === 0)) expect(found!.every((v) => v === 0)).toBe(true);
        else expect(relativeDifference(found!, exact)).toBeLessThanOrEqual(float32Sums);
      }),
      { numRuns: 30 },
    );
  });

  it('leaves its inputs alone, and keeps NaN', async () => {
    await expectConstantMemory(() =>
      tf.tidy(() => {
        const x = tf.tensor4d([NaN, 1], [1, 1, 2, 1]);
        const [filter, bias] = [tf.tensor4d([-2], [1, 1, 1, 1]), tf.tensor1d([1])];
        const attributes = { strides: [1, 1], pad: 'valid', dataFormat: 'NHWC', dilations: [1, 1] };
        const [y] = runKernel(
          'FusedConv2D' as TrainingKernel,
          { x, filter, bias },
          {
            ...attributes,
            activation: 'relu',
          },
        );
        expect([...y!.dataSync()]).toEqual([NaN, 0]);
        expect([...x.dataSync()]).toEqual([NaN, 1]);
      }),
    );
  });
});

describe('a convolution of a large filter on a small map', () => {
  it('has value and gradients', async () => {
    const geometries = fc
      .record({
        batch: fc.integer({ min: 1, max: 3 }),
        height: fc.integer({ min: 1, max: 4 }),
        width: fc.integer({ min: 1, max: 4 }),
        channels: fc.constantFrom(116, 132),
        outputs: fc.constant(128),
        kernel: fc.constantFrom<[number, number]>([3, 3], [2, 5]),
        strides: fc.constantFrom<[number, number]>([1, 1], [2, 2], [2, 1]),
        pad: fc.constantFrom<'same' | 'valid'>('same', 'valid'),
      })
      .filter(({ height, width, kernel: [h, w], pad }) => {
        return pad === 'same' || (height >= h && width >= w);
      });
    await fc.assert(
      fc.asyncProperty(geometries, async (geometry) => {
        const info = convolutionInfo(geometry);
        const { inShape, filterShape, outShape } = info;
        const x = normalValues(tf.util.sizeFromShape(inShape), 1);
        const filter = normalValues(tf.util.sizeFromShape(filterShape), 2);
        const dy = normalValues(tf.util.sizeFromShape(outShape), 3);
        const { strides, pad } = geometry;
        const shared = { strides, pad, dataFormat: 'NHWC', dilations: 1 };
        const [y] = await run('Conv2D', { x: [x, inShape], filter: [filter, filterShape] }, shared);
        const [dx] = await run(
          'Conv2DBackpropInput',
          { dy: [dy, outShape], filter: [filter, filterShape] },
          { ...shared, inputShape: inShape },
        );
        const [dFilter] = await run(
          'Conv2DBackpropFilter',
          { x: [x, inShape], dy: [dy, outShape] },
          { ...shared, filterShape },
        );
        for (const [found, exact] of [
          [y!, convolution(x, filter, info)],
          [dx!, convolutionInputGradient(dy, filter, info)],
          [dFilter!, convolutionFilterGradient(x, dy, info)],
        ] as const) {
          if (exact.every((value) => value === 0)) expect(found.every((v) => v === 0)).toBe(true);
          else expect(relativeDifference(found, exact)).toBeLessThanOrEqual(float32Sums);
        }
      }),
      { numRuns: 10 },
    );
  });
});

describe('rows', () => {
  const sizes = fc.record({
    count: fc.integer({ min: 1, max: 5 }),
    size: fc.constantFrom(0, 1, 15, 16, 17, 1000, 20_000),
    power: fc.integer({ min: -30, max: 30 }),
  });
  const rowsOf = (count: number, size: number, power: number): Float32Array[] =>
    Array.from({ length: count }, (_, k) =>
      normalValues(size, k + 1).map((value) => value * 10 ** (k % 2 === 0 ? power : -power)),
    );
  const named = (rows: readonly ArrayLike<number>[]): Inputs =>
    Object.fromEntries(rows.map((row, k) => [`row${k}`, [row, [row.length]] as const]));

  it('give their inner products in float64', async () => {
    await fc.assert(
      fc.asyncProperty(sizes, async ({ count, size, power }) => {
        const rows = rowsOf(count, size, power);
        const [packed] = await run('GramianOfRows', named(rows));
        const largest = rows.map((row) => row.reduce((m, v) => Math.max(m, Math.abs(v)), 0));
        expect([...packed!.slice(0, count)]).toEqual(largest);
        let at = count;
        for (let i = 0; i < count; i += 1) {
          for (let j = i; j < count; j += 1, at += 2) {
            const exact = rows[i]!.reduce((sum, value, n) => sum + value * rows[j]![n]!, 0);
            const scale = size === 0 ? 1 : largest[i]! * largest[j]!;
            // Float64 sums in another order.
            expect(Math.abs(packed![at]! + packed![at + 1]! - exact / scale)).toBeLessThanOrEqual(
              1e-12 * (size + 1),
            );
          }
        }
      }),
      { numRuns: 30 },
    );
  });

  it('mark numbers that are not finite, and are zero where a row is', async () => {
    const [packed] = await run(
      'GramianOfRows',
      named([
        [1, NaN],
        [2, -Infinity],
        [NaN, Infinity],
        [0, -0],
        [3, 4],
      ]),
    );
    expect([...packed!.slice(0, 5)]).toEqual([NaN, Infinity, NaN, 0, 4]);
    expect([...packed!.slice(-2)]).toEqual([25 / 16, 0]);
    expect([...packed!.slice(-6, -2)]).toEqual([0, 0, 0, 0]);
  });

  it('are combined in float64 and rounded once', async () => {
    const rows = rowsOf(3, 20_000, 0);
    const weights = [0.1, -2.7, 1e3];
    const [found] = await run('CombineRows', named(rows), { weights });
    const exact = rows[0]!.map((_, i) =>
      rows.reduce((sum, row, k) => sum + weights[k]! * row[i]!, 0),
    );
    expect(relativeDifference(found!, exact)).toBeLessThanOrEqual(roundedOnce);
  });
});

describe('optimizers', () => {
  const size = 9000;
  const [variable, first, second, a, b] = [1, 2, 3, 4, 5].map((seed) => normalValues(size, seed));
  const shape = [90, 100];
  const rows: Inputs = { row0: [a!, shape], row1: [b!, shape] };
  const weights = [0.3, -1.5];
  const gradient = (i: number): number => 0.3 * a![i]! - 1.5 * b![i]!;

  it.each([false, true])('MomentumUpdate follows its formula, nesterov %s', async (nesterov) => {
    const [theta, velocity] = await run(
      'MomentumUpdate',
      { variable: [variable!, shape], velocity: [first!, shape], ...rows },
      { weights, learningRate: 0.1, momentum: 0.9, weightDecay: 0.01, nesterov },
    );
    const g = variable!.map((value, i) => gradient(i) + 0.01 * value);
    const v = Array.from(g, (value, i) => 0.9 * first![i]! + value);
    const exact = v.map(
      (value, i) => variable![i]! - 0.1 * (nesterov ? g[i]! + 0.9 * value : value),
    );
    expect(relativeDifference(velocity!, v)).toBeLessThanOrEqual(float32Sums);
    expect(relativeDifference(theta!, exact)).toBeLessThanOrEqual(float32Sums);
  });

  it('AdamUpdate follows its formula', async () => {
    const square = second!.map((value) => value * value);
    const attributes = {
      ...{ weights, learningRate: 0.1, beta1: 0.9, beta2: 0.99, epsilon: 1e-7 },
      ...{ weightDecay: 0.01, decoupledDecay: 0.02, correction1: 0.19, correction2: 0.02 },
    };
    const [theta, mean, squares] = await run(
      'AdamUpdate',
      { variable: [variable!, shape], mean: [first!, shape], square: [square, shape], ...rows },
      attributes,
    );
    const g = Array.from(variable!, (value, i) => gradient(i) + 0.01 * value);
    const m = g.map((value, i) => 0.9 * first![i]! + 0.1 * value);
    const s = g.map((value, i) => 0.99 * square[i]! + 0.01 * value * value);
    const exact = m.map(
      (value, i) =>
        (1 - 0.1 * 0.02) * variable![i]! -
        (0.1 * (value / 0.19)) / (Math.sqrt(s[i]! / 0.02) + 1e-7),
    );
    for (const [found, wanted] of [
      [mean, m],
      [squares, s],
      [theta, exact],
    ] as const) {
      expect(relativeDifference(found!, wanted)).toBeLessThanOrEqual(float32Sums);
    }
  });
});

describe('reductions', () => {
  it.each([
    [
      [64, 9, 9, 10],
      [0, 1, 2],
    ],
    [[3200, 512], [0]],
    [[1, 7], [0]],
    [[5, 3000], [1]],
    [
      [900, 31],
      [0, 1],
    ],
    [
      [4, 6, 5],
      [1, 2],
    ],
    [
      [4, 6, 5],
      [0, 1],
    ],
    [[3], []],
  ] as const)('sums and means of %j over axes %j', async (shape, axes) => {
    const size = tf.util.sizeFromShape([...shape]);
    const x = normalValues(size, 3, 1);
    const leading = axes[0] === 0;
    const kept = shape.filter((_, axis) => !(axes as readonly number[]).includes(axis));
    const keptSize = tf.util.sizeFromShape(kept);
    const count = size / keptSize;
    const exact = new Float64Array(keptSize);
    x.forEach((value, i) => {
      exact[leading ? i % keptSize : Math.floor(i / count)]! += value;
    });
    for (const keepDims of [false, true]) {
      await expectConstantMemory(() =>
        tf.tidy(() => {
          const tensor = tf.tensor(x, [...shape]);
          const sum = tf.sum(tensor, [...axes], keepDims);
          const mean = tf.mean(tensor, [...axes], keepDims);
          if (!keepDims) expect(sum.shape).toEqual(kept);
          expect(sum.rank).toBe(keepDims ? shape.length : kept.length);
          const [sums, means] = [sum, mean].map((one) => one.dataSync<'float32'>());
          expect(relativeDifference(sums!, Array.from(exact))).toBeLessThanOrEqual(roundedOnce);
          const wanted = Array.from(exact, (value) => value / count);
          expect(relativeDifference(means!, wanted)).toBeLessThanOrEqual(roundedOnce);
        }),
      );
    }
  });

  it('other axes and types are summed by TensorFlow', () => {
    tf.tidy(() => {
      expect(tf.sum(tf.ones([2, 3, 4]), 1).arraySync()).toEqual([
        [3, 3, 3, 3],
        [3, 3, 3, 3],
      ]);
      const integers = tf.sum(tf.tensor1d([2 ** 24, 1], 'int32'));
      expect([integers.dtype, integers.dataSync()[0]]).toEqual(['int32', 2 ** 24 + 1]);
      expect(tf.sum(tf.zeros([0, 3]), 0).arraySync()).toEqual([0, 0, 0]);
    });
  });

  it.each([1, 33, 128])('sums of segments of rows of %i', async (width) => {
    const [rows, segments] = [1500, 300];
    const x = normalValues(rows * width, 1);
    // A few rows belong to no segment, and some segments have no row.
    const ids = Int32Array.from({ length: rows }, (_, i) => ((i * i) % 211) - 1);
    const late = ids.findIndex((id) => id >= 200);
    const exact = new Float64Array(segments * width);
    x.forEach((value, i) => {
      const segment = ids[Math.floor(i / width)]!;
      if (segment >= 0) exact[segment * width + (i % width)]! += value;
    });
    await expectConstantMemory(() =>
      tf.tidy(() => {
        const given = [tf.tensor2d(x, [rows, width]), tf.tensor1d(ids, 'int32')] as const;
        const found = tf.unsortedSegmentSum(...given, segments);
        expect(found.shape).toEqual([segments, width]);
        const values = found.dataSync<'float32'>();
        expect(relativeDifference(values, Array.from(exact))).toBeLessThanOrEqual(float32Sums);
        const held = heldTensors();
        expect(() => tf.unsortedSegmentSum(...given, 200)).toThrow(
          `segment_ids[${late}] = ${ids[late]!} is out of range [0, 200)`,
        );
        expect(heldTensors()).toBe(held);
      }),
    );
  });

  it('are kernels of ours', () => {
    const { binding } = nodeBackend();
    expect(binding.kernels).toEqual(expect.arrayContaining(['Sums', 'SegmentSum', 'LayerNorm']));
    const spy = vi.spyOn(binding, 'runKernel');
    tf.tidy(() => {
      tf.sum(tf.ones([4, 3]), 0);
      tf.mean(tf.ones([4, 3]));
      tf.unsortedSegmentSum(tf.ones([2, 3]), tf.tensor1d([0, 1], 'int32'), 2);
    });
    const runs = spy.mock.calls.map(([name]) => name);
    spy.mockRestore();
    expect(runs).toEqual(['Sums', 'Sums', 'SegmentSum']);
  });
});

describe('layers', () => {
  const [rows, columns] = [37, 19];
  const shape = [rows, columns];
  const x = normalValues(rows * columns, 1, 3);
  const dy = normalValues(rows * columns, 2);
  const scale = normalValues(columns, 3);
  const offset = normalValues(columns, 4);

  /** Central differences of `Σ dy · f(x)`, in float64. */
  function slopes(f: (values: number[]) => number[], at: ArrayLike<number>): number[] {
    return Array.from(at, (value, i) => {
      const h = 1e-5 * Math.max(1, Math.abs(value));
      const near = (step: number): number => {
        const values = Array.from(at);
        values[i] = value + step;
        return f(values).reduce((sum, y, k) => sum + y * dy[k]!, 0);
      };
      return (near(h) - near(-h)) / (2 * h);
    });
  }

  function normalised(values: ArrayLike<number>, gamma: ArrayLike<number>): number[] {
    return Array.from(values, (value, i) => {
      const row = Array.from(values).slice(i - (i % columns), i - (i % columns) + columns);
      const mean = row.reduce((sum, v) => sum + v, 0) / columns;
      const variance = row.reduce((sum, v) => sum + (v - mean) ** 2, 0) / columns;
      return (gamma[i % columns]! * (value - mean)) / Math.sqrt(variance + 1e-3);
    });
  }

  it('LayerNorm and its gradients', async () => {
    const given: Inputs = { x: [x, shape], scale: [scale, [columns]], offset: [offset, [columns]] };
    const [y, mean, inverseDeviation] = await run('LayerNorm', given, { epsilon: 1e-3 });
    const exact = normalised(x, scale).map((value, i) => value + offset[i % columns]!);
    expect(relativeDifference(y!, exact)).toBeLessThanOrEqual(float32Sums);
    const [dx, dScale, dOffset] = await run('LayerNormGrad', {
      dy: [dy, shape],
      x: [x, shape],
      scale: [scale, [columns]],
      mean: [mean!, [rows]],
      inverseDeviation: [inverseDeviation!, [rows]],
    });
    for (const [found, wanted] of [
      [dx, slopes((values) => normalised(values, scale), x)],
      [dScale, slopes((values) => normalised(x, values), scale)],
      [
        dOffset,
        Array.from(offset, (_, c) => dy.reduce((s, d, i) => (i % columns === c ? s + d : s), 0)),
      ],
    ] as const) {
      expect(relativeDifference(found!, wanted)).toBeLessThanOrEqual(float32Sums);
    }
  });

  it.each([true, false])('Gelu and its gradient, approximate %s', async (approximate) => {
    // The normal distribution function by Simpson's rule.
    const distribution = (v: number): number => {
      const n = 2000;
      const density = (t: number): number => Math.exp((-t * t) / 2) / Math.sqrt(2 * Math.PI);
      let sum = density(-12) + density(v);
      const h = (v + 12) / n;
      for (let k = 1; k < n; k += 1) sum += (k % 2 === 1 ? 4 : 2) * density(-12 + k * h);
      return (sum * h) / 3;
    };
    const f = (v: number): number =>
      approximate
        ? (v / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (v + 0.044715 * v ** 3)))
        : v * distribution(v);
    const values = x.slice(0, 60);
    const [y] = await run('Gelu', { x: [values, [60]] }, { approximate });
    expect(relativeDifference(y!, Array.from(values, f))).toBeLessThanOrEqual(float32Sums);
    const given: Inputs = { dy: [dy.slice(0, 60), [60]], x: [values, [60]] };
    const [dx] = await run('GeluGrad', given, { approximate });
    const exact = Array.from(values, (v, i) => (dy[i]! * (f(v + 1e-4) - f(v - 1e-4))) / 2e-4);
    expect(relativeDifference(dx!, exact)).toBeLessThanOrEqual(float32Sums);
  });
});
