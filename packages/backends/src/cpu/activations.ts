import type { TrainingKernel } from '@multigrad/core/kernels';
import { inputOf } from '../registry/check-inputs.ts';
import { type CpuKernel, tensorOf, valuesOf } from './cpu-kernel.ts';

type Slope = (value: number, alpha: number) => number;

/** Gradients of activations: `dx = dy · slope`. The slope is a function of the saved input or output. */
export const activationGradients: readonly CpuKernel[] = [
  gradientOf('ReluGrad', 'y', (y) => (y > 0 ? 1 : 0)),
  gradientOf('Relu6Grad', 'x', (x) => (x > 0 && x <= 6 ? 1 : 0)),
  gradientOf('LeakyReluGrad', 'x', (x, alpha) => (x > 0 ? 1 : alpha)),
  gradientOf('EluGrad', 'y', (y) => (y >= 0 ? 1 : y + 1)),
  gradientOf('SigmoidGrad', 'y', (y) => y * (1 - y)),
  gradientOf('TanhGrad', 'y', (y) => 1 - y * y),
];

function gradientOf(name: TrainingKernel, saved: 'x' | 'y', slope: Slope): CpuKernel {
  return {
    name,
    run: ({ inputs, attrs }, backend) => {
      const dy = inputOf(name, inputs, 'dy');
      const value = inputOf(name, inputs, saved, dy.shape);
      const { alpha = 0 } = (attrs ?? {}) as { alpha?: number };
      const [gradients, values] = [valuesOf(backend, dy), valuesOf(backend, value)];
      const out = new Float32Array(values.length);
      for (let i = 0; i < out.length; i += 1) {
        const factor = slope(values[i]!, alpha);
        // A slope of 0 gives 0, also where dy is NaN or infinite.
        out[i] = factor === 0 ? 0 : gradients[i]! * factor;
      }
      return tensorOf(backend, dy.shape, out);
    },
  };
}
