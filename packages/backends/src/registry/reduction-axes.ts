import { backend_util, type KernelConfig, type TensorInfo, util } from '@tensorflow/tfjs-core';

type Call = Parameters<KernelConfig['kernelFunc']>[0];

/** A reduction over the first axes of a tensor or over the last ones, as a matrix that is reduced along one side. */
export interface ReductionAxes {
  readonly x: TensorInfo;
  /** Whether the first axes are reduced. */
  readonly leading: boolean;
  /** How many numbers become one. */
  readonly count: number;
  /** How many numbers there are afterwards. */
  readonly kept: number;
  readonly outShape: readonly number[];
}

/** What a call of a reduction of float32 asks for; null where other axes, none, or nothing at all is reduced. */
export function reductionAxes({
  inputs,
  attrs,
}: Pick<Call, 'inputs' | 'attrs'>): ReductionAxes | null {
  const { x } = inputs as Record<'x', TensorInfo>;
  const { axis, keepDims = false } = (attrs ?? {}) as {
    readonly axis?: number | number[];
    readonly keepDims?: boolean;
  };
  const { shape } = x;
  const axes = util.parseAxisParam(axis ?? shape.map((_, i) => i), shape);
  if (x.dtype !== 'float32' || axes.length === 0 || shape.includes(0)) return null;
  const sorted = [...axes].sort((p, q) => p - q);
  const leading = sorted.every((value, index) => value === index);
  const first = shape.length - sorted.length;
  if (!leading && !sorted.every((value, index) => value === first + index)) return null;
  const [outShape, reduceShape] = backend_util.computeOutAndReduceShapes(shape, sorted);
  return {
    x,
    leading,
    count: util.sizeFromShape(reduceShape),
    kept: util.sizeFromShape(outShape),
    outShape: keepDims ? backend_util.expandShapeToKeepDim(outShape, sorted) : outShape,
  };
}
