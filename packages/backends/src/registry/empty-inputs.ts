import {
  backend_util,
  type DataType,
  fill,
  type Tensor,
  upcastType,
  util,
  zeros,
} from '@tensorflow/tfjs-core';
import type { OwnKernel } from './own-kernel.ts';

/** The result of a reduction of no numbers, and its type. */
interface Reduction {
  readonly neutral: (dtype: DataType) => number;
  readonly type: (dtype: DataType) => DataType;
}

interface ReductionAttributes {
  readonly axis?: number | number[];
  /** The axes of `Max`, which has this name for them. */
  readonly reductionIndices?: number | number[];
  readonly keepDims?: boolean;
}

const same = (dtype: DataType): DataType => dtype;
const summed = (dtype: DataType): DataType => upcastType(dtype, 'int32');

const reductions: Readonly<Record<string, Reduction>> = {
  Sum: { neutral: () => 0, type: summed },
  Prod: { neutral: () => 1, type: summed },
  Mean: { neutral: () => NaN, type: () => 'float32' },
  Max: { neutral: (dtype) => -largest(dtype), type: same },
  Min: { neutral: largest, type: same },
  All: { neutral: () => 1, type: same },
  Any: { neutral: () => 0, type: same },
};

function largest(dtype: DataType): number {
  if (dtype === 'bool') return 1;
  return dtype === 'int32' ? 2 ** 31 - 1 : Infinity;
}

/**
 * Operations on tensors of size 0, with the results that TensorFlow defines: a sum is 0, a product 1, a mean NaN, a maximum
 * -Infinity. The stock kernels of wasm divide by zero or read the memory of other tensors; those of cpu give zeros or NaN.
 */
export const emptyInputs: readonly OwnKernel<unknown>[] = [
  ...Object.entries(reductions).map(([name, { neutral, type }]): OwnKernel<unknown> => ({
    name,
    run: ({ inputs, attrs }) => {
      const { x } = inputs as Record<'x', Tensor>;
      if (!x.shape.includes(0)) return null;
      const { axis, reductionIndices, keepDims = false } = attrs as ReductionAttributes;
      const all = x.shape.map((_, i) => i);
      const axes = util.parseAxisParam(axis ?? reductionIndices ?? all, x.shape);
      const [kept] = backend_util.computeOutAndReduceShapes(x.shape, axes);
      const shape = keepDims ? backend_util.expandShapeToKeepDim(kept, axes) : kept;
      return fill(shape as [number], neutral(x.dtype), type(x.dtype) as 'float32');
    },
  })),
  ...['ArgMax', 'ArgMin'].map((name): OwnKernel<unknown> => ({
    name,
    run: ({ inputs, attrs }) => {
      const { x } = inputs as Record<'x', Tensor>;
      const axes = util.parseAxisParam((attrs as { axis: number }).axis, x.shape);
      const [shape] = backend_util.computeOutAndReduceShapes(x.shape, axes);
      return shape.includes(0) ? zeros(shape as [number], 'int32') : null;
    },
  })),
  {
    name: 'Transpose',
    run: ({ inputs, attrs }) => {
      const { x } = inputs as Record<'x', Tensor>;
      const { perm } = attrs as unknown as { readonly perm: readonly number[] };
      if (!x.shape.includes(0)) return null;
      return zeros(perm.map((axis) => x.shape[axis]!) as [number], x.dtype);
    },
  },
  ...['Cumsum', 'Cumprod'].map((name): OwnKernel<unknown> => ({
    name,
    run: ({ inputs }) => {
      const { x } = inputs as Record<'x', Tensor>;
      return x.shape.includes(0) ? zeros(x.shape, summed(x.dtype)) : null;
    },
  })),
  ...['SparseSegmentSum', 'SparseSegmentMean'].map((name): OwnKernel<unknown> => ({
    name,
    run: ({ inputs }) => {
      const { data, indices } = inputs as Record<'data' | 'indices', Tensor>;
      if (indices.shape[0] !== 0) return null;
      return zeros([0, ...data.shape.slice(1)], data.dtype);
    },
  })),
];
