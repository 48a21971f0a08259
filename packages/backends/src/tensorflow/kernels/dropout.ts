import type { UniformKey } from '@multigrad/core/kernels';
import { inputOf } from '../../registry/check-inputs.ts';
import { type NativeKernel, runNative } from './native-kernel.ts';

/** Dropout whose mask is a function of the key. */
export const seededDropout: NativeKernel = {
  name: 'SeededDropout',
  run: ({ inputs, attrs }, backend) => {
    const x = inputOf('SeededDropout', inputs, 'x');
    const { rate, key } = attrs as unknown as { readonly rate: number; readonly key: UniformKey };
    // A half of a key may be a signed number; the kernel takes unsigned ones.
    const numbers = [rate, ...key.map((half) => half >>> 0)];
    return runNative(backend, 'SeededDropout', [x], numbers, [x.shape])[0]!;
  },
};
