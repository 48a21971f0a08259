import { cast, engine, type Tensor, tidy, util } from '@tensorflow/tfjs-core';
import type { OwnKernel } from './own-kernel.ts';

/**
 * Cumulative sums and products in two cases: along an axis that is counted from the end, for which the stock kernels of cpu
 * and wasm make no result, and of booleans, which the stock kernel of wasm refuses.
 */
export const cumulative: readonly OwnKernel<unknown>[] = ['Cumsum', 'Cumprod'].map((name) => ({
  name,
  run: ({ inputs, attrs }) => {
    const given = attrs as unknown as { readonly axis: number };
    const { x } = inputs as Record<'x', Tensor>;
    const [axis] = util.parseAxisParam(given.axis, x.shape);
    if (given.axis === axis && x.dtype !== 'bool') return null;
    return tidy(() => {
      const numbers = x.dtype === 'bool' ? cast(x, 'int32') : x;
      return engine().runKernel<Tensor>(name, { x: numbers }, { ...given, axis: axis! });
    });
  },
}));
