import type { TrainingKernel } from '@multigrad/core/kernels';
import type { TensorInfo } from '@tensorflow/tfjs-core';
import { inputOf } from '../../registry/check-inputs.ts';
import type { NodeBackend, OpAttribute } from '../node-backend.ts';
import type { NativeKernel } from './native-kernel.ts';

/** Gradients of activations, each by one op of TensorFlow. Some ops take the gradient first, others the saved value. */
export const activationGradients: readonly NativeKernel[] = [
  gradientOf('ReluGrad', 'y', 'ReluGrad', (dy, y) => [dy, y]),
  gradientOf('Relu6Grad', 'x', 'Relu6Grad', (dy, x) => [dy, x]),
  gradientOf('LeakyReluGrad', 'x', 'LeakyReluGrad', (dy, x) => [dy, x]),
  gradientOf('EluGrad', 'y', 'EluGrad', (dy, y) => [dy, y]),
  gradientOf('SigmoidGrad', 'y', 'SigmoidGrad', (dy, y) => [y, dy]),
  gradientOf('TanhGrad', 'y', 'TanhGrad', (dy, y) => [y, dy]),
];

function gradientOf(
  name: TrainingKernel,
  saved: 'x' | 'y',
  op: string,
  order: (dy: TensorInfo, value: TensorInfo) => readonly TensorInfo[],
): NativeKernel {
  return {
    name,
    run: ({ inputs, attrs }, backend) => {
      const dy = inputOf(name, inputs, 'dy');
      const value = inputOf(name, inputs, saved, dy.shape);
      const { alpha } = (attrs ?? {}) as { readonly alpha?: number };
      const attributes = [float32Of(backend)];
      if (name === 'LeakyReluGrad' && alpha !== undefined) {
        attributes.push({ name: 'alpha', type: backend.binding.TF_ATTR_FLOAT, value: alpha });
      }
      return backend.executeSingleOutput(op, attributes, order(dy, value));
    },
  };
}

function float32Of({ binding }: NodeBackend): OpAttribute {
  return { name: 'T', type: binding.TF_ATTR_TYPE, value: binding.TF_FLOAT };
}
