import {
  cast,
  engine,
  greaterEqual,
  mul,
  type Tensor,
  tidy,
  util,
  where,
} from '@tensorflow/tfjs-core';
import type { NativeKernel } from './native-kernel.ts';

/** Rounding, which leaves int32 as it is. TensorFlow's op returns zeros for int32. */
export const round: NativeKernel = {
  name: 'Round',
  run: ({ inputs }) => {
    const { x } = inputs as Record<'x', Tensor>;
    return x.dtype === 'int32' ? engine().runKernel<Tensor>('Identity', { x }) : null;
  },
};

/** `x` where it is not negative, else `alpha · x`. The stock kernel computes `x − |x|`, which is NaN for infinity. */
export const prelu: NativeKernel = {
  name: 'Prelu',
  run: ({ inputs }) => {
    const { x, alpha } = inputs as Record<'x' | 'alpha', Tensor>;
    return tidy(() => {
      const values = cast(x, 'float32');
      return where(greaterEqual(values, 0), values, mul(values, alpha));
    });
  },
};

/** `tf.gather` along an axis that is counted from the last, which the stock kernel refuses. */
export const gatherV2: NativeKernel = {
  name: 'GatherV2',
  run: ({ inputs, attrs }) => {
    const { x, indices } = inputs as Record<'x' | 'indices', Tensor>;
    const { axis, batchDims } = attrs as { axis: number; batchDims?: number };
    if (axis >= 0) return null;
    const [along] = util.parseAxisParam(axis, x.shape) as [number];
    return engine().runKernel<Tensor>(
      'GatherV2',
      { x, indices },
      { axis: along, batchDims: batchDims ?? 0 },
    );
  },
};
