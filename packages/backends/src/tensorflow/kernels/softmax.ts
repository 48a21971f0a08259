import { inputOf, rowsAndChannels } from '../../registry/check-inputs.ts';
import { type NativeKernel, runNative } from './native-kernel.ts';

/** Cross-entropies of integer labels and their gradient, row by row. */
export const sparseSoftmaxCrossEntropy: NativeKernel = {
  name: 'SparseSoftmaxCrossEntropy',
  run: ({ inputs }, backend) => {
    const name = 'SparseSoftmaxCrossEntropy';
    const logits = inputOf(name, inputs, 'logits');
    const [, classes] = rowsAndChannels(logits.shape);
    const rows = logits.shape.slice(0, -1);
    const labels = inputOf(name, inputs, 'labels', rows, 'int32');
    return runNative(backend, name, [logits, labels], [classes], [rows, logits.shape]);
  },
};

/** `dx = y · (dy − Σ_c dy_c y_c)`, row by row. */
export const softmaxGrad: NativeKernel = gradientOf('SoftmaxGrad');

/** `dx = dy − exp(y) · Σ_c dy_c`, row by row. */
export const logSoftmaxGrad: NativeKernel = gradientOf('LogSoftmaxGrad');

function gradientOf(name: 'SoftmaxGrad' | 'LogSoftmaxGrad'): NativeKernel {
  return {
    name,
    run: ({ inputs }, backend) => {
      const dy = inputOf(name, inputs, 'dy');
      const y = inputOf(name, inputs, 'y', dy.shape);
      const [, columns] = rowsAndChannels(dy.shape);
      return runNative(backend, name, [dy, y], [columns], [dy.shape])[0]!;
    },
  };
}
