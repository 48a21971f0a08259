import { gather, range, reshape, type Tensor, tensor, tidy } from '@tensorflow/tfjs-core';
import type { OwnKernel } from './own-kernel.ts';
import { stridedPlaces } from './strided-places.ts';

/**
 * Strided slices axis by axis. Stock kernels of cpu and wasm read other places where an axis is taken away by
 * `shrinkAxisMask`.
 */
export const stridedSlice: OwnKernel<unknown> = ofTypes([]);

/** The same on wasm, whose stock kernel besides takes integers and booleans for float32. */
export const wasmStridedSlice: OwnKernel<unknown> = ofTypes(['int32', 'bool']);

/** @param types - of inputs, which the stock kernel does not take */
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
