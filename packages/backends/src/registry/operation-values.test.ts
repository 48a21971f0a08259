import '@tensorflow/tfjs-backend-cpu';
import { expectConstantMemory, testedBackends } from '@multigrad/test-support';
import * as tf from '@tensorflow/tfjs-core';
import { metrics } from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, it } from 'vitest';
import { useBackend } from '../use-backend.ts';

/** A result by hand: numbers, and of which type. */
interface ValueCase {
  readonly name: string;
  readonly compute: () => tf.Tensor;
  readonly dtype?: 'float32' | 'int32' | 'bool';
  readonly expected: readonly number[];
}

const inf = Infinity;
const special = (): tf.Tensor1D => tf.tensor1d([NaN, inf, -inf, -2, -0.5, 0, 0.5, 2]);
const ints = (...values: number[]): tf.Tensor1D => tf.tensor1d(values, 'int32');

const ofNumbers: ValueCase[] = [
  {
    name: 'oneHot of float32',
    compute: () => tf.oneHot(ints(1, 0, 3, -1), 3, 1, 0, 'float32'),
    expected: [0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0],
  },
  {
    name: 'oneHot of float32 with other values',
    compute: () => tf.oneHot(tf.tensor2d([[1], [0]], [2, 1], 'int32'), 2, 0.75, -0.25, 'float32'),
    expected: [-0.25, 0.75, 0.75, -0.25],
  },
  {
    name: 'oneHot of int32',
    compute: () => tf.oneHot(ints(1, 0), 3, 5, -7, 'int32'),
    dtype: 'int32',
    expected: [-7, 5, -7, 5, -7, -7],
  },
  {
    name: 'oneHot of bool',
    compute: () => tf.oneHot(ints(1, 0, 2), 3, 1, 0, 'bool'),
    dtype: 'bool',
    expected: [0, 1, 0, 1, 0, 0, 0, 0, 1],
  },
  {
    name: 'cast of float32 to bool',
    compute: () => tf.cast(tf.tensor1d([0, -0, 1, 3, 0.5, 256, -1, 1e-30]), 'bool'),
    dtype: 'bool',
    expected: [0, 0, 1, 1, 1, 1, 1, 1],
  },
  {
    name: 'cast of int32 to bool',
    compute: () => tf.cast(ints(0, 1, 3, 256, -1), 'bool'),
    dtype: 'bool',
    expected: [0, 1, 1, 1, 1],
  },
  {
    name: 'cast of float32 to int32',
    compute: () => tf.cast(tf.tensor1d([1.9, -1.9, 0.5, 300]), 'int32'),
    dtype: 'int32',
    expected: [1, -1, 0, 300],
  },
  {
    name: 'cast of bool to float32',
    compute: () => tf.cast(tf.tensor1d([true, false], 'bool'), 'float32'),
    expected: [1, 0],
  },
  {
    name: 'clipByValue of special numbers',
    compute: () => tf.clipByValue(special(), -1, 1),
    expected: [NaN, 1, -1, -1, -0.5, 0, 0.5, 1],
  },
  {
    name: 'clipByValue of int32',
    compute: () => tf.clipByValue(ints(-5, 0, 1, 2, 7), -1, 2),
    dtype: 'int32',
    expected: [-1, 0, 1, 2, 2],
  },
  {
    name: 'round of int32',
    compute: () => tf.round(ints(-5, 0, 7)),
    dtype: 'int32',
    expected: [-5, 0, 7],
  },
  {
    name: 'round to even',
    compute: () => tf.round(tf.tensor1d([0.5, 1.5, 2.5, -0.5, -1.5, 2.4])),
    expected: [0, 2, 2, 0, -2, 2],
  },
  {
    name: 'abs of int32',
    compute: () => tf.abs(ints(-5, 0, 7)),
    dtype: 'int32',
    expected: [5, 0, 7],
  },
  {
    name: 'neg of int32',
    compute: () => tf.neg(ints(-5, 0, 7)),
    dtype: 'int32',
    expected: [5, 0, -7],
  },
  {
    name: 'square of int32',
    compute: () => tf.square(ints(-5, 0, 7)),
    dtype: 'int32',
    expected: [25, 0, 49],
  },
  {
    name: 'relu of int32',
    compute: () => tf.relu(ints(-5, 0, 7)),
    dtype: 'int32',
    expected: [0, 0, 7],
  },
  {
    name: 'relu of special numbers',
    compute: () => tf.relu(special()),
    expected: [NaN, inf, 0, 0, 0, 0, 0.5, 2],
  },
  {
    name: 'relu6 of special numbers',
    compute: () => tf.relu6(special()),
    expected: [NaN, 6, 0, 0, 0, 0, 0.5, 2],
  },
  {
    name: 'leakyRelu of special numbers',
    compute: () => tf.leakyRelu(special(), 0.5),
    expected: [NaN, inf, -inf, -1, -0.25, 0, 0.5, 2],
  },
  {
    name: 'prelu of special numbers',
    compute: () => tf.prelu<tf.Tensor>(special(), tf.scalar(0.5)),
    expected: [NaN, inf, -inf, -1, -0.25, 0, 0.5, 2],
  },
  {
    name: 'elu of special numbers',
    compute: () => tf.elu(tf.tensor1d([NaN, inf, -inf, 0, 2])),
    expected: [NaN, inf, -1, 0, 2],
  },
  {
    name: 'selu of special numbers',
    compute: () => tf.selu(tf.tensor1d([NaN, inf, 0])),
    expected: [NaN, inf, 0],
  },
  {
    name: 'sigmoid of special numbers',
    compute: () => tf.sigmoid(tf.tensor1d([NaN, inf, -inf, 0])),
    expected: [NaN, 1, 0, 0.5],
  },
  {
    name: 'tanh of special numbers',
    compute: () => tf.tanh(tf.tensor1d([NaN, inf, -inf, 0])),
    expected: [NaN, 1, -1, 0],
  },
  {
    name: 'softplus of special numbers',
    compute: () => tf.softplus(tf.tensor1d([NaN, inf, -inf, 100, -200])),
    expected: [NaN, inf, 0, 100, 0],
  },
  {
    name: 'exp of special numbers',
    compute: () => tf.exp(tf.tensor1d([NaN, inf, -inf, 0, 100])),
    expected: [NaN, inf, 0, 1, inf],
  },
  {
    name: 'log of special numbers',
    compute: () => tf.log(tf.tensor1d([NaN, inf, -1, 0, 1])),
    expected: [NaN, inf, NaN, -inf, 0],
  },
  {
    name: 'sqrt of special numbers',
    compute: () => tf.sqrt(tf.tensor1d([NaN, inf, -1, 0, 4])),
    expected: [NaN, inf, NaN, 0, 2],
  },
  {
    name: 'sign of special numbers',
    compute: () => tf.sign(tf.tensor1d([inf, -inf, -2, 0, 0.5])),
    expected: [1, -1, -1, 0, 1],
  },
  {
    name: 'step of special numbers',
    compute: () => tf.step(special(), 0.25),
    expected: [NaN, 1, 0.25, 0.25, 0.25, 0.25, 1, 1],
  },
  {
    name: 'isNaN, isInf and isFinite',
    compute: () => tf.stack([tf.isNaN(special()), tf.isInf(special()), tf.isFinite(special())]),
    dtype: 'bool',
    expected: [
      ...[1, 0, 0, 0, 0, 0, 0, 0],
      ...[0, 1, 1, 0, 0, 0, 0, 0],
      ...[0, 0, 0, 1, 1, 1, 1, 1],
    ],
  },
  {
    name: 'maximum with NaN',
    compute: () => tf.maximum(tf.tensor1d([NaN, 1, -inf, 2]), tf.tensor1d([1, NaN, 0, inf])),
    expected: [NaN, NaN, 0, inf],
  },
  {
    name: 'minimum with NaN',
    compute: () => tf.minimum(tf.tensor1d([NaN, 1, -inf, 2]), tf.tensor1d([1, NaN, 0, inf])),
    expected: [NaN, NaN, -inf, 2],
  },
  {
    name: 'maximum of int32',
    compute: () => tf.maximum(ints(-5, 7), ints(2, 3)),
    dtype: 'int32',
    expected: [2, 7],
  },
  {
    name: 'comparisons with NaN',
    compute: () => {
      const [a, b] = [tf.tensor1d([NaN, 1]), tf.tensor1d([NaN, NaN])];
      return tf.stack([
        tf.greater(a, b),
        tf.less(a, b),
        tf.greaterEqual(a, b),
        tf.lessEqual(a, b),
        tf.equal(a, b),
        tf.notEqual(a, b),
      ]);
    },
    dtype: 'bool',
    expected: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1],
  },
  {
    name: 'where takes one side and leaves NaN of the other',
    compute: () =>
      tf.where(
        tf.tensor1d([true, false, true], 'bool'),
        tf.tensor1d([1, NaN, inf]),
        tf.tensor1d([NaN, 2, NaN]),
      ),
    expected: [1, 2, inf],
  },
  {
    name: 'where of int32',
    compute: () => tf.where(tf.tensor1d([true, false], 'bool'), ints(1, 2), ints(3, 4)),
    dtype: 'int32',
    expected: [1, 4],
  },
  {
    name: 'divNoNan',
    compute: () => tf.divNoNan(tf.tensor1d([1, 0, 3]), tf.tensor1d([0, 0, 2])),
    expected: [0, 0, 1.5],
  },
  {
    name: 'floorDiv and mod of negative numbers',
    compute: () =>
      tf.concat([
        tf.cast(tf.floorDiv(tf.tensor1d([-7, 7]), tf.tensor1d([2, -2])), 'float32'),
        tf.mod(tf.tensor1d([-7, 7]), tf.tensor1d([2, -2])),
      ]),
    expected: [-4, -4, 1, -1],
  },
  {
    name: 'pow of special numbers',
    compute: () => tf.pow(tf.tensor1d([0, 0, -2, 4, 2]), tf.tensor1d([0, 2, 3, 0.5, -1])),
    expected: [1, 0, -8, 2, 0.5],
  },
];

const ofArrays: ValueCase[] = [
  ...(
    [
      ['max', [NaN, 3], [NaN]],
      ['max', [3, NaN], [NaN]],
      ['min', [NaN, 3], [NaN]],
      ['min', [3, NaN], [NaN]],
      ['max', [-inf, -inf], [-inf]],
      ['min', [inf, inf], [inf]],
      ['max', [-3, -2], [-2]],
      ['sum', [NaN, 1], [NaN]],
      ['mean', [inf, 1], [inf]],
      ['prod', [NaN, 0], [NaN]],
      ['logSumExp', [-1000, -1000], [-1000 + Math.log(2)]],
      ['logSumExp', [1000, 1000], [1000 + Math.log(2)]],
    ] as [keyof typeof tf, number[], number[]][]
  ).map(([name, values, expected]): ValueCase => ({
    name: `${name} of [${String(values)}]`,
    compute: () => (tf[name] as (x: tf.Tensor) => tf.Tensor)(tf.tensor1d(values)),
    expected,
  })),
  ...(['sum', 'max', 'min', 'prod'] as const).map((name): ValueCase => ({
    name: `${name} of int32 along an axis`,
    compute: () => tf[name](tf.tensor2d([1, -2, 3, 4, 5, -6], [2, 3], 'int32'), 1),
    dtype: 'int32',
    expected: { sum: [2, 3], max: [3, 5], min: [-2, -6], prod: [-6, -120] }[name],
  })),
  {
    name: 'mean of int32',
    compute: () => tf.mean(ints(1, 2, 4, 4)),
    expected: [2.75],
  },
  {
    name: 'sum of bool',
    compute: () => tf.sum(tf.tensor1d([true, true, false], 'bool')),
    dtype: 'int32',
    expected: [2],
  },
  {
    name: 'all and any',
    compute: () => {
      const x = tf.tensor2d([1, 0, 1, 1], [2, 2], 'bool');
      return tf.concat([tf.all(x, 1), tf.any(x, 1)]);
    },
    dtype: 'bool',
    expected: [0, 1, 1, 1],
  },
  {
    name: 'argMax and argMin, the first of equal ones',
    compute: () => {
      const x = tf.tensor2d([1, 3, 3, -inf, -inf, -2], [2, 3]);
      return tf.concat([tf.argMax(x, 1), tf.argMin(x, 1)]);
    },
    dtype: 'int32',
    expected: [1, 2, 0, 0],
  },
  {
    name: 'argMax and argMin of int32',
    compute: () => {
      const x = tf.tensor2d([1, 3, 2, -4, -5, -6], [2, 3], 'int32');
      return tf.concat([tf.argMax(x, 1), tf.argMin(x, 1)]);
    },
    dtype: 'int32',
    expected: [1, 0, 0, 2],
  },
  {
    name: 'unsortedSegmentSum of int32',
    compute: () => tf.unsortedSegmentSum(ints(1, 2, 3, 4), ints(0, 1, 0, 2), 4),
    dtype: 'int32',
    expected: [4, 2, 4, 0],
  },
  {
    name: 'gather of int32 and bool',
    compute: () =>
      tf.concat([
        tf.gather(ints(5, 6, 7), ints(2, 0)),
        tf.cast(tf.gather(tf.tensor1d([true, false], 'bool'), ints(1, 0)), 'int32'),
      ]),
    dtype: 'int32',
    expected: [7, 5, 0, 1],
  },
  {
    name: 'gather of int32 with batches of indices',
    compute: () =>
      tf.gather(
        tf.tensor2d([1, 2, 3, 4], [2, 2], 'int32'),
        tf.tensor2d([1, 0, 0, 0], [2, 2], 'int32'),
        1,
        1,
      ),
    dtype: 'int32',
    expected: [2, 1, 3, 3],
  },
  {
    name: 'gatherND and scatterND of int32',
    compute: () =>
      tf.concat([
        tf.gatherND(tf.tensor2d([1, 2, 3, 4], [2, 2], 'int32'), [[1, 0]]),
        tf.scatterND(tf.tensor2d([[2], [0]], [2, 1], 'int32'), ints(9, 8), [3]),
      ]),
    dtype: 'int32',
    expected: [3, 8, 0, 9],
  },
  {
    name: 'fill of each type',
    compute: () =>
      tf.concat([
        tf.cast(tf.fill([2], 1, 'bool'), 'float32'),
        tf.cast(tf.fill([1], -3, 'int32'), 'float32'),
        tf.fill([1], 0.5),
      ]),
    expected: [1, 1, -3, 0.5],
  },
  {
    name: 'tile, concat, pad, reverse and transpose of int32',
    compute: () => {
      const x = tf.tensor2d([1, 2, 3, 4], [2, 2], 'int32');
      return tf.concat([
        tf.reshape(tf.tile(x, [1, 2]), [-1]),
        tf.reshape(
          tf.pad(
            x,
            [
              [0, 0],
              [1, 0],
            ],
            7,
          ),
          [-1],
        ),
        tf.reshape(tf.reverse(x, 1), [-1]),
        tf.reshape(tf.transpose(x), [-1]),
      ]);
    },
    dtype: 'int32',
    expected: [1, 2, 1, 2, 3, 4, 3, 4, 7, 1, 2, 7, 3, 4, 2, 1, 4, 3, 1, 3, 2, 4],
  },
  {
    name: 'cumsum of int32',
    compute: () => tf.cumsum(ints(1, 2, 3)),
    dtype: 'int32',
    expected: [1, 3, 6],
  },
  {
    name: 'topk',
    compute: () => tf.topk(tf.tensor1d([1, -inf, 3, 2]), 2).values,
    expected: [3, 2],
  },
  {
    name: 'mirrorPad of int32',
    compute: () => tf.mirrorPad(ints(1, 2, 3), [[2, 1]], 'reflect'),
    dtype: 'int32',
    expected: [3, 2, 1, 2, 3, 2],
  },
  {
    name: 'maxPool of windows of one pixel',
    compute: () =>
      tf.maxPool(tf.tensor3d([1, 2, 3, 4, 5, 6, 7, 8, 9], [3, 3, 1]), [1, 1], 2, 'valid'),
    expected: [1, 3, 7, 9],
  },
  {
    name: 'maxPool of minus infinity',
    compute: () => tf.maxPool(tf.fill([2, 2, 1], -inf) as tf.Tensor3D, 2, 1, 'valid'),
    expected: [-inf],
  },
  {
    name: 'avgPool of windows of one pixel',
    compute: () =>
      tf.avgPool(tf.tensor3d([1, 2, 3, 4, 5, 6, 7, 8, 9], [3, 3, 1]), [1, 1], 2, 'valid'),
    expected: [1, 3, 7, 9],
  },
  {
    name: 'dilation2d of int32',
    compute: () =>
      tf.dilation2d(
        tf.tensor3d([-5, -6, -7, -8], [2, 2, 1], 'int32'),
        tf.tensor3d([0, 1], [1, 2, 1], 'int32'),
        1,
        'valid',
      ),
    dtype: 'int32',
    expected: [-5, -7],
  },
];

/** Labels of the losses below. */
const labels = [0, 1, 0.25];

/**
 * Derivatives at corners, where the formula of each side would do: what TensorFlow has, save `abs` at 0. There it is the
 * derivative of the left side, as that of `relu` is, so that sums of both have the derivative that they have as a whole.
 */
const atCorners: ValueCase[] = (
  [
    ['abs at 0', tf.abs, [0], [-1]],
    ['relu at 0', tf.relu, [0], [0]],
    [
      // The derivative by a logit is its sigmoid less its label.
      'losses.sigmoidCrossEntropy of logits that are 0',
      (x) => tf.losses.sigmoidCrossEntropy(tf.tensor1d(labels), x, 1, 0, tf.Reduction.SUM),
      [0, 0, 0],
      [0.5, -0.5, 0.25],
    ],
    [
      // By a probability p, of a label z: (p - z) / (p (1 - p)).
      'binaryCrossentropy of tf.layers, of the probability 0.5',
      (x) => metrics.binaryCrossentropy(tf.tensor2d(labels, [3, 1]), tf.reshape(x, [3, 1])),
      [0.5, 0.5, 0.5],
      [2, -2, 1],
    ],
    ['x^0 at 0', (x) => tf.pow(x, 0), [0], [0]],
    ['x^1 at 0', (x) => tf.pow(x, 1), [0], [1]],
    ['x^2 at 0 and below', (x) => tf.pow(x, 2), [0, -3], [0, -6]],
    ['sqrt at 4', tf.sqrt, [4], [0.25]],
    [
      'clipByValue at its bounds and NaN',
      (x) => tf.clipByValue(x, -1, 1),
      [-1, 1, 2, NaN],
      [1, 1, 0, 0],
    ],
    ['prod with zeros', (x) => tf.prod(x), [0, 2, 3], [6, 0, 0]],
    ['prod with two zeros', (x) => tf.prod(x), [0, 0, 3], [0, 0, 0]],
    ['where beside NaN', (x) => tf.where(tf.greater(x, 0), x, tf.zerosLike(x)), [2, NaN], [1, 0]],
  ] as [string, (x: tf.Tensor) => tf.Tensor, number[], number[]][]
).map(([name, f, at, expected]) => ({
  name: `derivative of ${name}`,
  compute: () => tf.grad((x) => f(x))(tf.tensor1d(at)),
  expected,
}));

const cases = [...ofNumbers, ...ofArrays, ...atCorners];

describe.each(testedBackends())('values of operations on %s', (backend) => {
  beforeAll(async () => {
    await useBackend(backend);
  });

  it.each(cases.map((each) => [each.name, each] as const))('%s', async (_, each) => {
    await tf.setBackend(backend);
    const { dtype = 'float32', expected } = each;
    await expectConstantMemory(() => {
      const result = tf.tidy(each.compute);
      const found = Array.from(result.dataSync());
      const { dtype: type } = result;
      result.dispose();
      expect(type).toBe(dtype);
      expect(found.length).toBe(expected.length);
      found.forEach((value, i) => {
        const wanted = expected[i]!;
        const isSame =
          Object.is(value + 0, wanted + 0) ||
          Math.abs(value - wanted) <= 1e-6 * Math.max(1, Math.abs(wanted));
        expect(isSame, `number ${i} of [${String(found)}], expected [${String(expected)}]`).toBe(
          true,
        );
      });
    });
  });
});
