import type { TrainingKernel } from '@multigrad/core/kernels';
import { util } from '@tensorflow/tfjs-core';
import { inputOf } from '../registry/check-inputs.ts';
import type { WasmKernel } from './wasm-kernel.ts';

/** Gradients of activations. The number is that of the activation in kernels/activations.c. */
export const activationGradients: readonly WasmKernel[] = [
  gradientOf('ReluGrad', 'y', 0),
  gradientOf('Relu6Grad', 'x', 1),
  gradientOf('LeakyReluGrad', 'x', 2),
  gradientOf('EluGrad', 'y', 3),
  gradientOf('SigmoidGrad', 'y', 4),
  gradientOf('TanhGrad', 'y', 5),
];

function gradientOf(name: TrainingKernel, saved: 'x' | 'y', kind: number): WasmKernel {
  return {
    name,
    run: ({ inputs, attrs }, heap) => {
      const dy = inputOf(name, inputs, 'dy');
      const value = inputOf(name, inputs, saved, dy.shape);
      const { alpha = 0 } = (attrs ?? {}) as { alpha?: number };
      const out = heap.output(dy.shape);
      heap.kernels.activation_gradient(
        heap.job,
        kind,
        heap.pointer(dy),
        heap.pointer(value),
        heap.pointer(out),
        util.sizeFromShape(dy.shape),
        alpha,
      );
      return out;
    },
  };
}
