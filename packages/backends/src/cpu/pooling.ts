import { averagePoolGradient, maxPoolGradient } from '../loops/pool-gradients.ts';
import { inputOf } from '../registry/check-inputs.ts';
import { poolGeometry } from '../registry/pool-geometry.ts';
import { type CpuKernel, tensorOf, valuesOf } from './cpu-kernel.ts';

/**
 * Gradients of pooling. The stock kernels divide by the size of the whole window also where a part lies outside the array,
 * and in three dimensions add the gradient of a maximum to a number beside the maximum.
 */
export const poolingGradients: readonly CpuKernel[] = [
  gradientOf('AvgPoolGrad', 2, (_, dy, pool) => averagePoolGradient(dy, pool)),
  gradientOf('AvgPool3DGrad', 3, (_, dy, pool) => averagePoolGradient(dy, pool)),
  gradientOf('MaxPoolGrad', 2, maxPoolGradient),
  gradientOf('MaxPool3DGrad', 3, maxPoolGradient),
];

function gradientOf(name: string, axes: 2 | 3, compute: typeof maxPoolGradient): CpuKernel {
  return {
    name,
    run: ({ inputs, attrs }, backend) => {
      const input = inputOf(name, inputs, 'input');
      const geometry = poolGeometry(axes, input.shape, attrs);
      if (geometry === null) return null;
      const dy = inputOf(name, inputs, 'dy', geometry.outShape);
      const dx = compute(valuesOf(backend, input), valuesOf(backend, dy), geometry.pool);
      return tensorOf(backend, input.shape, dx);
    },
  };
}
