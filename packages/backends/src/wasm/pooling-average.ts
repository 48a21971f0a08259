import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { PoolGeometry } from '../loops/pool-gradients.ts';
import { inputOf } from '../registry/check-inputs.ts';
import { poolGeometry } from '../registry/pool-geometry.ts';
import type { WasmKernel } from './wasm-kernel.ts';

/**
 * Average pooling and its gradients. The stock kernels divide gradients by the size of the whole window also where a part
 * lies outside the array.
 */
export const averagePooling: readonly WasmKernel[] = ([2, 3] as const).flatMap((axes) => {
  const name = axes === 3 ? 'AvgPool3D' : 'AvgPool';
  const forward: WasmKernel = {
    name,
    run: ({ inputs, attrs }, heap) => {
      const { x } = inputs as Record<'x', TensorInfo>;
      const geometry = poolGeometry(axes, x.shape, attrs);
      if (geometry === null || x.dtype !== 'float32') return null;
      const out = heap.output(geometry.outShape);
      const numbers = numbersOf(geometry.pool);
      heap.kernels.pool_average(heap.job, heap.pointer(x), heap.pointer(out), ...numbers);
      return out;
    },
  };
  const gradient: WasmKernel = {
    name: `${name}Grad`,
    run: ({ inputs, attrs }, heap) => {
      const input = inputOf(`${name}Grad`, inputs, 'input');
      const geometry = poolGeometry(axes, input.shape, attrs);
      if (geometry === null) return null;
      const dy = inputOf(`${name}Grad`, inputs, 'dy', geometry.outShape);
      const out = heap.output(input.shape);
      const numbers = numbersOf(geometry.pool);
      heap.kernels.pool_average_gradient(heap.job, heap.pointer(dy), heap.pointer(out), ...numbers);
      return out;
    },
  };
  return [forward, gradient];
});

/** The geometry in the order of the C kernels. */
export function numbersOf(pool: PoolGeometry): number[] {
  const { batch, channels, input, output, kernel, strides, before } = pool;
  return [batch, ...input, channels, ...output, ...kernel, ...strides, ...before];
}
