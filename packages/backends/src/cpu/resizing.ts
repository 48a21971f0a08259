import { util } from '@tensorflow/tfjs-core';
import { resizeGradient } from '../loops/resize-gradients.ts';
import { inputOf } from '../registry/check-inputs.ts';
import { type CpuKernel, tensorOf, valuesOf } from './cpu-kernel.ts';

/** Gradients of resized images. The stock kernels read the gradient of another image, and exchange rows and columns. */
export const resizingGradients: readonly CpuKernel[] = [
  gradientOf('ResizeBilinearGrad', 'bilinear'),
  gradientOf('ResizeNearestNeighborGrad', 'nearest'),
];

function gradientOf(name: string, kind: 'bilinear' | 'nearest'): CpuKernel {
  return {
    name,
    run: ({ inputs, attrs }, backend) => {
      const { shape } = inputOf(name, inputs, 'images');
      const [batch, , , channels] = shape as [number, number, number, number];
      const [, rows, columns] = inputs['dy']?.shape ?? [];
      const dy = inputOf(name, inputs, 'dy', [batch, rows ?? 0, columns ?? 0, channels]);
      const dx = new Float32Array(util.sizeFromShape(shape));
      const { alignCorners } = attrs as { alignCorners: boolean };
      resizeGradient(kind, valuesOf(backend, dy), dx, shape, dy.shape, alignCorners);
      return tensorOf(backend, shape, dx);
    },
  };
}
