import {
  backend_util,
  broadcastTo,
  cast as castTensor,
  engine,
  type Tensor,
  type TensorInfo,
  tidy,
  util,
} from '@tensorflow/tfjs-core';
import type { KernelHeap } from './kernel-heap.ts';
import type { WasmKernel } from './wasm-kernel.ts';

/**
 * `x` where it is not negative, else `alpha · x`. The slopes `alpha` may be broadcast along any axes. The stock kernel reads
 * broadcast slopes as if they were those of the last axes.
 */
export const prelu: WasmKernel = {
  name: 'Prelu',
  run: ({ inputs }, heap) => {
    const { x, alpha } = inputs as Record<'x' | 'alpha', Tensor>;
    const shape = backend_util.assertAndGetBroadcastShape(x.shape, alpha.shape);
    const isPlain = [x, alpha].every(({ dtype }) => dtype === 'float32');
    const isWhole = util.arraysEqual(shape, x.shape) || shape.includes(0);
    if (!isPlain || !isWhole) {
      // Calls this kernel again, with float32 and x of the common shape.
      return tidy(() =>
        engine().runKernel<Tensor>('Prelu', {
          x: broadcastTo(castTensor(x, 'float32'), shape as [number]),
          alpha: castTensor(alpha, 'float32'),
        }),
      );
    }
    if (shape.includes(0)) return heap.output(shape);
    const lengths = shape.length === 0 ? [1] : shape;
    const own = Array<number>(lengths.length - alpha.shape.length)
      .fill(1)
      .concat(alpha.shape);
    const strides = own.map((length, axis) =>
      length === 1 ? 0 : util.sizeFromShape(own.slice(axis + 1)),
    );
    const out = heap.output(shape);
    const rank = lengths.length;
    const scratch = heap.scratch(12 * rank);
    heap.writeIntegers(scratch, [...lengths, ...strides]);
    heap.kernels.prelu(
      heap.pointer(x),
      heap.pointer(alpha),
      heap.pointer(out),
      scratch,
      scratch + 4 * rank,
      scratch + 8 * rank,
      rank,
      util.sizeFromShape(lengths.slice(0, -1)),
    );
    return out;
  },
};

/** Clips numbers to a range; NaN stays NaN. The stock kernel replaces NaN by a limit, and reads int32 as float32. */
export const clipByValue: WasmKernel = {
  name: 'ClipByValue',
  run: ({ inputs, attrs }, heap) => {
    const { x } = inputs as Record<'x', TensorInfo>;
    const { clipValueMin, clipValueMax } = attrs as Record<'clipValueMin' | 'clipValueMax', number>;
    return clipped(heap, x, clipValueMin, clipValueMax);
  },
};

/** Clips numbers to the range from 0 to 6; NaN stays NaN. The stock kernel replaces NaN by 0. */
export const relu6: WasmKernel = {
  name: 'Relu6',
  run: ({ inputs }, heap) => clipped(heap, (inputs as Record<'x', TensorInfo>).x, 0, 6),
};

function clipped(heap: KernelHeap, x: TensorInfo, lowest: number, highest: number): TensorInfo {
  const out = heap.output(x.shape, x.dtype);
  if (x.dtype === 'float32') {
    const size = util.sizeFromShape(x.shape);
    heap.kernels.clip(heap.pointer(x), heap.pointer(out), size, lowest, highest);
    return out;
  }
  const [from, to] = [heap.values(x), heap.values(out)];
  for (let i = 0; i < to.length; i += 1) to[i] = Math.min(highest, Math.max(lowest, from[i]!));
  return out;
}

/** The larger and the smaller of two numbers; NaN where one is NaN. The stock kernels ignore NaN in the second input. */
export const extremes: readonly WasmKernel[] = [
  extremeOf('Maximum', true),
  extremeOf('Minimum', false),
];

function extremeOf(name: string, largest: boolean): WasmKernel {
  return {
    name,
    run: ({ inputs }, heap) => {
      const { a, b } = inputs as Record<'a' | 'b', Tensor>;
      if (a.dtype !== 'float32' || b.dtype !== 'float32') return null;
      const shape = backend_util.assertAndGetBroadcastShape(a.shape, b.shape);
      const size = util.sizeFromShape(shape);
      if (size === 0) return heap.output(shape);
      const steps = [a, b].map(({ shape: own }) => {
        const length = util.sizeFromShape(own);
        return length === size ? 1 : length === 1 ? 0 : null;
      });
      if (steps.includes(null)) {
        const [wholeA, wholeB] = [a, b].map((each) => broadcastTo(each, shape as [number]));
        const out = engine().runKernel<Tensor>(name, { a: wholeA!, b: wholeB! });
        wholeA!.dispose();
        wholeB!.dispose();
        return out;
      }
      const out = heap.output(shape);
      const [pointerA, pointerB] = [heap.pointer(a), heap.pointer(b)];
      heap.kernels.extreme(
        pointerA,
        pointerB,
        heap.pointer(out),
        size,
        steps[0]!,
        steps[1]!,
        largest ? 1 : 0,
      );
      return out;
    },
  };
}

/** Casts numbers to bool: 0 is false, all others are true. The stock kernel copies a byte: 3 stays 3, and 256 is false. */
export const cast: WasmKernel = {
  name: 'Cast',
  run: ({ inputs, attrs }, heap) => {
    const { x } = inputs as Record<'x', TensorInfo>;
    const { dtype } = attrs as { readonly dtype: string };
    if (dtype !== 'bool' || (x.dtype !== 'float32' && x.dtype !== 'int32')) return null;
    const out = heap.output(x.shape, dtype);
    const [from, to] = [heap.values(x), heap.values(out)];
    for (let i = 0; i < to.length; i += 1) to[i] = from[i] === 0 ? 0 : 1;
    return out;
  },
};

interface OneHotAttributes {
  readonly depth: number;
  readonly onValue: number;
  readonly offValue: number;
  readonly dtype?: 'float32' | 'int32' | 'bool';
}

/**
 * One-hot rows: `onValue` at the index of a class, `offValue` elsewhere. The stock kernel writes int32 whatever the type is.
 * So a 1 of float32 becomes 1.4e-45, and it writes beyond the end of a bool tensor.
 */
export const oneHot: WasmKernel = {
  name: 'OneHot',
  run: ({ inputs, attrs }, heap) => {
    const { indices } = inputs as Record<'indices', TensorInfo>;
    const { depth, onValue, offValue, dtype = 'int32' } = attrs as unknown as OneHotAttributes;
    const out = heap.output([...indices.shape, depth], dtype);
    const [places, to] = [heap.values(indices), heap.values(out)];
    to.fill(offValue);
    for (let i = 0; i < places.length; i += 1) {
      const place = places[i]!;
      if (place >= 0 && place < depth) to[i * depth + place] = onValue;
    }
    return out;
  },
};
