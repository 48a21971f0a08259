import * as tf from '@tensorflow/tfjs-core';
import {
  broadcast,
  build,
  commonShape,
  normalInput,
  offset,
  type OperationCase,
  positions,
} from './operation-case.ts';

const repeated = [
  [
    [2, 3],
    [2, 3],
  ],
  [[2, 3], [3]],
  [
    [3, 1],
    [1, 4],
  ],
  [
    [2, 1, 3],
    [4, 1],
  ],
  [[], [2, 2]],
] as const;

/** Functions of two numbers; the shift keeps inputs where the function is defined. */
const pairs: [
  string,
  (a: tf.Tensor, b: tf.Tensor) => tf.Tensor,
  (a: number, b: number) => number,
  number?,
][] = [
  ['add', tf.add, (a, b) => a + b],
  ['sub', tf.sub, (a, b) => a - b],
  ['mul', tf.mul, (a, b) => a * b],
  ['div', tf.div, (a, b) => a / b],
  ['divNoNan', tf.divNoNan, (a, b) => (b === 0 ? 0 : a / b)],
  ['maximum', tf.maximum, Math.max],
  ['minimum', tf.minimum, Math.min],
  ['squaredDifference', tf.squaredDifference, (a, b) => (a - b) ** 2],
  ['atan2', tf.atan2, Math.atan2],
  ['mod', tf.mod, (a, b) => a - b * Math.floor(a / b), 8],
  ['pow', tf.pow, (a, b) => a ** b, 4],
  ['prelu', (a, b) => tf.prelu(tf.add(a, tf.mul(0, b)), b), (a, b) => (a >= 0 ? a : a * b)],
];

const ofPairs = pairs.flatMap(([name, run, f, shift = 0]) =>
  repeated.map(([a, b]): OperationCase => ({
    name: `${name} of [${String(a)}] and [${String(b)}]`,
    inputs: [normalInput(a, 1, shift), normalInput(b, 2, shift)],
    run,
    reference: (x, y) => {
      const [left, right] = [broadcast(a, x), broadcast(b, y)];
      return build(commonShape(a, b), (position) => f(left(position), right(position)));
    },
  })),
);

const prelu: OperationCase[] = (
  [[3], [1, 1, 3], [1, 4, 3], [4, 3], [2, 4, 3], [2, 1, 3], [1]] as const
).map((alpha) => ({
  name: `prelu of [2,4,3] with slopes of [${String(alpha)}]`,
  inputs: [normalInput([2, 4, 3], 1), normalInput(alpha, 2)],
  run: (x, slopes) => tf.prelu(x, slopes),
  reference: (x, slopes) => {
    const slope = broadcast(alpha, slopes);
    return build([2, 4, 3], (position) => {
      const value = x[offset([2, 4, 3], position)]!;
      return value >= 0 ? value : value * slope(position);
    });
  },
}));

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const erf = (x: number): number => {
  // The series converges everywhere, and fast for numbers of size 1.
  let [sum, term] = [x, x];
  for (let n = 1; n < 60; n += 1) {
    term *= -(x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
};

/** Functions of one number, with a shift and a scale that keep inputs where the function is defined. */
const singles: [string, (x: tf.Tensor) => tf.Tensor, (x: number) => number, number?, number?][] = [
  ['abs', tf.abs, Math.abs],
  ['acos', tf.acos, Math.acos, 0, 0.2],
  ['acosh', tf.acosh, Math.acosh, 6],
  ['asin', tf.asin, Math.asin, 0, 0.2],
  ['asinh', tf.asinh, Math.asinh],
  ['atan', tf.atan, Math.atan],
  ['atanh', tf.atanh, Math.atanh, 0, 0.2],
  ['ceil', tf.ceil, Math.ceil],
  ['clipByValue', (x) => tf.clipByValue(x, -0.5, 0.7), (x) => Math.min(0.7, Math.max(-0.5, x))],
  ['cos', tf.cos, Math.cos],
  ['cosh', tf.cosh, Math.cosh],
  ['elu', tf.elu, (x) => (x > 0 ? x : Math.expm1(x))],
  ['erf', tf.erf, erf],
  ['exp', tf.exp, Math.exp],
  ['expm1', tf.expm1, Math.expm1],
  ['floor', tf.floor, Math.floor],
  ['leakyRelu', (x) => tf.leakyRelu(x, 0.3), (x) => (x > 0 ? x : 0.3 * x)],
  ['log', tf.log, Math.log, 4],
  ['log1p', tf.log1p, Math.log1p, 4],
  ['logSigmoid', tf.logSigmoid, (x) => Math.log(sigmoid(x))],
  ['neg', tf.neg, (x) => -x],
  ['reciprocal', tf.reciprocal, (x) => 1 / x, 4],
  ['relu', tf.relu, (x) => Math.max(0, x)],
  ['relu6', (x) => tf.relu6(tf.mul(x, 8)), (x) => Math.min(6, Math.max(0, 8 * x))],
  ['round', tf.round, Math.round],
  ['rsqrt', tf.rsqrt, (x) => 1 / Math.sqrt(x), 4],
  ['selu', tf.selu, (x) => 1.05070098 * (x > 0 ? x : 1.67326324 * Math.expm1(x))],
  ['sigmoid', tf.sigmoid, sigmoid],
  ['sign', tf.sign, Math.sign],
  ['sin', tf.sin, Math.sin],
  ['sinh', tf.sinh, Math.sinh],
  ['softplus', tf.softplus, (x) => Math.log1p(Math.exp(x))],
  ['sqrt', tf.sqrt, Math.sqrt, 4],
  ['square', tf.square, (x) => x * x],
  ['step', (x) => tf.step(x, 0.3), (x) => (x > 0 ? 1 : 0.3)],
  ['tan', tf.tan, Math.tan, 0, 0.3],
  ['tanh', tf.tanh, Math.tanh],
];

const ofSingles = singles.map(([name, run, f, shift = 0, scale = 1]): OperationCase => ({
  name,
  inputs: [normalInput([3, 4], 1, shift)],
  run: (x) => run(scale === 1 ? x : tf.mul(x, scale)),
  reference: (x) => x.map((value) => f(scale * value)),
}));

const add = (a: number, b: number): number => a + b;

/** Reductions, each with the function that makes one number of those that are reduced to it. */
const reductions: [
  string,
  (x: tf.Tensor, axes: number[], keepDims: boolean) => tf.Tensor,
  (x: readonly number[]) => number,
][] = [
  ['sum', tf.sum, (x) => x.reduce(add, 0)],
  ['mean', tf.mean, (x) => x.reduce(add, 0) / x.length],
  ['max', tf.max, (x) => Math.max(...x)],
  ['min', tf.min, (x) => Math.min(...x)],
  ['prod', tf.prod, (x) => x.reduce((a, b) => a * b, 1)],
  ['logSumExp', tf.logSumExp, (x) => Math.log(x.map(Math.exp).reduce(add, 0))],
  ['norm', (x, axes, keepDims) => tf.norm(x, 'euclidean', axes, keepDims), (x) => Math.hypot(...x)],
];

const ofReductions = reductions.flatMap(([name, run, reduce]) =>
  [[0], [1], [2], [-1], [0, 2], [0, 1, 2]]
    // The euclidean norm of TensorFlow.js takes two axes at most.
    .filter((axes) => name !== 'norm' || axes.length < 3)
    .flatMap((axes) =>
      [false, true].map((keepDims): OperationCase => {
        const shape = [2, 3, 2];
        const own = axes.map((axis) => (axis < 0 ? axis + 3 : axis));
        const kept = shape.map((length, axis) => (own.includes(axis) ? 1 : length));
        return {
          name: `${name} along [${String(axes)}]${keepDims ? ', axes kept' : ''}`,
          inputs: [normalInput(shape, 1)],
          run: (x) => run(x, axes, keepDims),
          reference: (x) =>
            build(kept, (position) =>
              reduce(
                positions(shape)
                  .filter((each) =>
                    each.every((i, axis) => own.includes(axis) || i === position[axis]),
                  )
                  .map((each) => x[offset(shape, each)]!),
              ),
            ),
          ...(name === 'prod' && {
            onceOnly: 'the gradient of prod is made of cumprod, which has none',
          }),
        };
      }),
    ),
);

const softmaxOf = (x: readonly number[]): number[] => {
  const powers = x.map(Math.exp);
  const total = powers.reduce(add, 0);
  return powers.map((power) => power / total);
};

const rowsOf = (x: readonly number[], width: number): (readonly number[])[] =>
  Array.from({ length: x.length / width }, (_, row) => x.slice(row * width, (row + 1) * width));

const choices: OperationCase[] = [
  {
    name: 'softmax',
    inputs: [normalInput([3, 4], 1)],
    run: (x) => tf.softmax(x),
    reference: (x) => rowsOf(x, 4).flatMap(softmaxOf),
  },
  {
    name: 'logSoftmax',
    inputs: [normalInput([3, 4], 1)],
    run: (x) => tf.logSoftmax(x),
    reference: (x) => rowsOf(x, 4).flatMap((row) => softmaxOf(row).map(Math.log)),
  },
  {
    name: 'where of a comparison with what is differentiated',
    inputs: [normalInput([3, 4], 1), normalInput([3, 4], 2)],
    run: (x, y) => tf.where(tf.greater(x, 0), tf.mul(x, y), tf.square(y)),
    reference: (x, y) => x.map((value, i) => (value > 0 ? value * y[i]! : y[i]! ** 2)),
  },
  {
    name: 'where of comparisons that are combined',
    inputs: [normalInput([3, 4], 1), normalInput([3, 4], 2)],
    run: (x, y) =>
      tf.where(
        tf.logicalOr(tf.lessEqual(x, y), tf.logicalNot(tf.notEqual(x, y))),
        tf.sin(x),
        tf.mul(x, y),
      ),
    reference: (x, y) => x.map((value, i) => (value <= y[i]! ? Math.sin(value) : value * y[i]!)),
  },
  {
    name: 'localResponseNormalization',
    inputs: [normalInput([1, 2, 2, 5], 1)],
    run: (x) => tf.localResponseNormalization(x as tf.Tensor4D, 1, 1, 0.7, 0.6),
    reference: (x) =>
      build([1, 2, 2, 5], (position) => {
        const c = position.at(-1)!;
        let sum = 0;
        for (let k = Math.max(0, c - 1); k <= Math.min(4, c + 1); k += 1) {
          sum += x[offset([1, 2, 2, 5], position.with(-1, k))]! ** 2;
        }
        return x[offset([1, 2, 2, 5], position)]! * (1 + 0.7 * sum) ** -0.6;
      }),
    onceOnly: 'the gradient of localResponseNormalization has none',
  },
];

const normalized: OperationCase[] = (
  [
    [[3], true, true],
    [[3], false, true],
    [[3], true, false],
    [[3], false, false],
    [[2, 3], true, true],
    [[1, 3], true, true],
  ] as [number[], boolean, boolean][]
).map(([statistics, scaled, moved]) => ({
  name: `batchNorm of [2,3] with statistics of [${String(statistics)}]${scaled ? '' : ', no scale'}${moved ? '' : ', no offset'}`,
  inputs: [
    normalInput([2, 3], 1),
    normalInput(statistics, 2),
    normalInput(statistics, 3, 4),
    ...(moved ? [normalInput(statistics, 4)] : []),
    ...(scaled ? [normalInput(statistics, 5)] : []),
  ],
  run: (x, mean, variance, ...rest) => {
    const offsets = moved ? rest[0] : undefined;
    const scale = scaled ? rest.at(-1) : undefined;
    return tf.batchNorm(
      x as tf.Tensor2D,
      mean as tf.Tensor2D,
      variance as tf.Tensor2D,
      offsets as tf.Tensor2D,
      scale as tf.Tensor2D,
      0.01,
    );
  },
  reference: (x, mean, variance, ...rest) => {
    const read = (values: readonly number[] | undefined): ((p: readonly number[]) => number) =>
      broadcast(statistics, values!);
    return build([2, 3], (position) => {
      const centered = x[offset([2, 3], position)]! - read(mean)(position);
      const plain = centered / Math.sqrt(read(variance)(position) + 0.01);
      return (
        plain * (scaled ? read(rest.at(-1))(position) : 1) + (moved ? read(rest[0])(position) : 0)
      );
    });
  },
}));

/** Operations on numbers, each by itself or several that are reduced to one. */
export const numberCases: readonly OperationCase[] = [
  ...ofPairs,
  ...prelu,
  ...ofSingles,
  ...ofReductions,
  ...choices,
  ...normalized,
];
