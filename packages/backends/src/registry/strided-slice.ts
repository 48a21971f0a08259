import { gather, range, reshape, type Tensor, tensor, tidy } from '@tensorflow/tfjs-core';
import type { OwnKernel } from './own-kernel.ts';
import { stridedPlaces } from './strided-places.ts';

/**
 * Strided slices that remove an axis by `shrinkAxisMask`, gathered axis by axis. The stock kernels of cpu and wasm read
 * wrong places for them.
 */
export const stridedSlice: OwnKernel<unknown> = ofTypes([]);

/** {@link stridedSlice} on wasm. It also covers integers and booleans, which the stock kernel of wasm reads as float32. */
export const wasmStridedSlice: OwnKernel<unknown> = ofTypes(['int32', 'bool']);

/** @param types - types of inputs that the stock kernel does not cover */
function ofTypes(types: readonly string[]): OwnKernel<unknown> {
  return {
    name: 'StridedSlice',
    run: ({ inputs, attrs }) => {
      const { x } = inputs as Record<'x', Tensor>;
      const { shrinkAxisMask } = attrs as { readonly shrinkAxisMask: number };
      if (shrinkAxisMask === 0 && !types.includes(x.dtype)) return null;
      const { begin, end, strides, finalShape } = stridedPlaces(x.shape, attrs);
      if (finalShape.includes(0)) return tensor([], finalShape, x.dtype);
      return tidy(() => {
        const chosen = begin.reduce(
          (rest: Tensor, first, axis) =>
            gather(rest, range(first, end[axis]!, strides[axis], 'int32'), axis),
          x,
        );
        return reshape(chosen, finalShape);
      });
    },
  };
}
