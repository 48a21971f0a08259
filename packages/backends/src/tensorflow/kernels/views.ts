import { type Tensor, util } from '@tensorflow/tfjs-core';
import type { NativeKernel } from './native-kernel.ts';

/** A tensor in another shape, with the same buffer: nothing runs. Strings are left to the stock kernel. */
export const reshape: NativeKernel = {
  name: 'Reshape',
  run: ({ inputs, attrs }, backend) => {
    const { x } = inputs as Record<'x', Tensor>;
    const size = util.sizeFromShape(x.shape);
    if (x.dtype === 'string' || size === 0) return null;
    const asked = attrs as { readonly shape: readonly number[] };
    const shape = util.inferFromImplicitShape([...asked.shape], size);
    if (util.sizeFromShape(shape) !== size) return null;
    const [id] = backend.getInputTensorIds([x]);
    return backend.createOutputTensor({
      id: backend.binding.reshape!(id!, shape),
      shape,
      dtype: backend.getDTypeInteger(x.dtype),
    });
  },
};

/** A tensor that has the type already is itself. */
export const cast: NativeKernel = {
  name: 'Cast',
  run: ({ inputs, attrs }, backend) => {
    const { x } = inputs as Record<'x', Tensor>;
    const { dtype } = attrs as { dtype: Tensor['dtype'] };
    if (x.dtype !== dtype) return null;
    backend.incRef(x.dataId);
    return { dataId: x.dataId, shape: x.shape, dtype };
  },
};
