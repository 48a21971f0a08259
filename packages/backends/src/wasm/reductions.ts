import { backend_util, type TensorInfo, util } from '@tensorflow/tfjs-core';
import type { WasmKernel } from './wasm-kernel.ts';

interface ReductionAttributes {
  readonly axis?: number | number[];
  readonly keepDims?: boolean;
}

/** Sums over leading axes (bias gradients) or trailing ones, without the stock kernel's transposition. */
export const sum: WasmKernel = reduction('Sum', () => 1);

/** Means over leading or trailing axes. */
export const mean: WasmKernel = reduction('Mean', (count) => 1 / count);

function reduction(name: string, scaleOf: (count: number) => number): WasmKernel {
  return {
    name,
    run: ({ inputs, attrs }, heap) => {
      const { x } = inputs as Record<'x', TensorInfo>;
      const { axis, keepDims = false } = (attrs ?? {}) as ReductionAttributes;
      const { shape } = x;
      const rank = shape.length;
      const axes = util.parseAxisParam(axis ?? shape.map((_, i) => i), shape);
      if (x.dtype !== 'float32' || axes.length === 0 || shape.includes(0)) return null;
      const sorted = [...axes].sort((p, q) => p - q);
      const leading = sorted.every((value, index) => value === index);
      const trailing = sorted.every((value, index) => value === rank - sorted.length + index);
      if (!leading && !trailing) return null;
      const [outShape, reduceShape] = backend_util.computeOutAndReduceShapes(shape, sorted);
      const out = heap.output(
        keepDims ? backend_util.expandShapeToKeepDim(outShape, sorted) : outShape,
      );
      const count = util.sizeFromShape(reduceShape);
      const kept = util.sizeFromShape(outShape);
      const scale = scaleOf(count);
      if (trailing) {
        heap.kernels.sum_trailing(heap.pointer(x), heap.pointer(out), kept, count, scale);
      } else {
        const totals = heap.scratch(8 * kept);
        heap.kernels.sum_leading(heap.pointer(x), heap.pointer(out), totals, count, kept, scale);
      }
      return out;
    },
  };
}
