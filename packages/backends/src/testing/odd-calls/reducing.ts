import * as tf from '@tensorflow/tfjs-core';
import type { Draw, OddOperation } from './odd-call.ts';

type Reduction = (x: tf.Tensor, axes: number[], keepDims: boolean) => tf.Tensor;

const reductions: Readonly<Record<string, Reduction>> = {
  sum: tf.sum,
  mean: tf.mean,
  max: tf.max,
  min: tf.min,
  prod: tf.prod,
  any: (x, axes, keepDims) => tf.any(tf.cast(x, 'bool'), axes, keepDims),
  all: (x, axes, keepDims) => tf.all(tf.cast(x, 'bool'), axes, keepDims),
  logSumExp: tf.logSumExp,
};

const products = (['matMul', 'fused.matMul'] as const).map((name): OddOperation => ({
  name,
  draw: (draw) => {
    const [rows, inner, columns] = [size(draw), size(draw), size(draw)];
    const outer = draw.list(draw.integer(0, 2), () => draw.integer(1, 3));
    const other = outer.map((length) =>
      draw.chance(0.2) ? 1 : draw.chance(0.05) ? length + 1 : length,
    );
    const [transposeA, transposeB] = [draw.chance(0.3), draw.chance(0.3)];
    const dtype = name === 'matMul' && draw.chance(0.1) ? 'int32' : 'float32';
    const wrong = draw.chance(0.05) ? 1 : 0;
    const a = [...outer, ...(transposeA ? [inner, rows] : [rows, inner])];
    const b = [...other, ...(transposeB ? [columns, inner + wrong] : [inner + wrong, columns])];
    const bias = draw.choice([[columns], [1], [rows, columns], [columns + 1]]);
    const activation = draw.choice(['linear', 'relu', 'sigmoid', 'elu'] as const);
    return {
      inputs: [draw.input(a, dtype), draw.input(b, dtype), draw.input(bias)],
      arguments: { transposeA, transposeB, activation },
      run: (x, y, z) =>
        name === 'matMul'
          ? tf.matMul(x, y, transposeA, transposeB)
          : tf.fused.matMul({ a: x, b: y, transposeA, transposeB, bias: z, activation }),
    };
  },
}));

function size(draw: Draw): number {
  return draw.chance(0.03) ? 0 : draw.integer(1, draw.chance(0.1) ? 60 : 5);
}

/** Operations that make one number of many, along axes or over the inner axis of a product. */
export const reducing: readonly OddOperation[] = [
  ...Object.entries(reductions).map(([name, run]): OddOperation => ({
    name,
    draw: (draw) => {
      const shape = draw.shape(0, 5);
      const axes = draw.list(draw.integer(0, shape.length), () => draw.axis(shape.length));
      const keepDims = draw.chance(0.3);
      return {
        inputs: [draw.input(shape, draw.type(name === 'logSumExp' ? ['float32'] : undefined))],
        arguments: { axes, keepDims },
        run: (x) => run(x, axes, keepDims),
      };
    },
  })),
  ...(['argMax', 'argMin'] as const).map((name): OddOperation => ({
    name,
    draw: (draw) => {
      const shape = draw.shape(1, 5);
      const axis = draw.axis(shape.length);
      return {
        inputs: [draw.input(shape, draw.type())],
        arguments: { axis },
        run: (x) => tf[name](x, axis),
      };
    },
  })),
  ...(['cumsum', 'cumprod'] as const).map((name): OddOperation => ({
    name,
    draw: (draw) => {
      const shape = draw.shape(1, 4);
      const axis = draw.axis(shape.length);
      const [exclusive, reverse] = [draw.chance(0.4), draw.chance(0.4)];
      return {
        inputs: [draw.input(shape, draw.type())],
        arguments: { axis, exclusive, reverse },
        run: (x) => tf[name](x, axis, exclusive, reverse),
      };
    },
  })),
  {
    name: 'topk',
    draw: (draw) => {
      const shape = draw.shape(1, 4).map((length) => Math.max(1, length));
      const k = draw.chance(0.15)
        ? draw.integer(-1, 6)
        : draw.integer(1, Math.max(1, shape.at(-1)!));
      const sorted = draw.chance(0.7);
      return {
        inputs: [draw.input(shape, draw.type())],
        arguments: { k, sorted },
        run: (x) => {
          const { values, indices } = tf.topk(x, k, sorted);
          return [values, indices];
        },
      };
    },
  },
  {
    name: 'softmax',
    draw: (draw) => {
      const shape = draw.shape(0, 4);
      const axis = draw.chance(0.7) ? -1 : draw.axis(shape.length);
      return {
        inputs: [draw.input(shape, draw.type())],
        arguments: { axis },
        run: (x) => tf.softmax(x, axis),
      };
    },
  },
  {
    name: 'logSoftmax',
    draw: (draw) => {
      const shape = draw.shape(1, 4);
      const axis = draw.chance(0.7) ? -1 : draw.axis(shape.length);
      return {
        inputs: [draw.input(shape, draw.type(['float32', 'int32']))],
        arguments: { axis },
        run: (x) => tf.logSoftmax(x, axis),
      };
    },
  },
  {
    name: 'batchNorm',
    draw: (draw) => {
      const shape = draw.shape(2, 4);
      const own = (): number[] =>
        draw.chance(0.05) ? draw.shape(1, 2) : draw.chance(0.1) ? shape : [shape.at(-1)!];
      return {
        inputs: [draw.input(shape), ...Array.from({ length: 4 }, () => draw.input(own()))],
        arguments: {},
        run: (x, mean, variance, offset, scale) =>
          tf.batchNorm(
            x as tf.Tensor2D,
            mean as tf.Tensor1D,
            tf.square(variance) as tf.Tensor1D,
            offset as tf.Tensor1D,
            scale as tf.Tensor1D,
          ),
      };
    },
  },
  ...products,
];
