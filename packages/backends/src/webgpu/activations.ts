import type { TrainingKernel } from '@multigrad/core/kernels';
import { own } from '@multigrad/core/strategy';
import { inputOf } from '../registry/check-inputs.ts';
import { elementwise, type WebGpuKernel } from './program.ts';

/** The gradient of an activation, dx, from dy and the activation's input x or value y. */
function activationGradient(
  name: TrainingKernel,
  other: 'x' | 'y',
  expression: string,
  attributes: readonly string[] = [],
): WebGpuKernel {
  return {
    name,
    run: ({ inputs, attrs }, gpu) => {
      const dy = inputOf(name, inputs, 'dy');
      const value = inputOf(name, inputs, other, dy.shape);
      return elementwise(gpu, {
        name,
        inputs: { dy, value },
        numbers: Object.fromEntries(attributes.map((key) => [key, own(attrs!, key) as number])),
        shape: dy.shape,
        expression: expression.replaceAll('dy', 'dy[index]').replaceAll('value', 'value[index]'),
      });
    },
  };
}

/** The gradients of activations. */
export const activationGradients: readonly WebGpuKernel[] = [
  activationGradient('ReluGrad', 'y', 'select(0.0, dy, value > 0.0)'),
  activationGradient('Relu6Grad', 'x', 'select(0.0, dy, value > 0.0 && value <= 6.0)'),
  activationGradient('LeakyReluGrad', 'x', 'select(uniforms.alpha * dy, dy, value > 0.0)', [
    'alpha',
  ]),
  activationGradient('EluGrad', 'y', 'select(dy * (value + 1.0), dy, value >= 0.0)'),
  activationGradient('SigmoidGrad', 'y', 'dy * value * (1.0 - value)'),
  activationGradient('TanhGrad', 'y', 'dy * (1.0 - value * value)'),
];
