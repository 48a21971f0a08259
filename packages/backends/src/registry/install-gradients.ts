import { gradientDepth, hasKernel } from '@multigrad/core/kernels';
import { getGradient, type GradConfig, registerGradient, type Tensor } from '@tensorflow/tfjs-core';
import { einsumGradient } from './einsum.ts';
import { type StockGradient, stockGradients } from './stock-gradients.ts';

const installed = new WeakSet<GradConfig>();

/**
 * Registers our gradients in place of TensorFlow.js's own, unless that is done, and adds the gradient of einsum, which
 * TensorFlow.js lacks. An operation without a registered gradient is skipped. A later call covers it, once
 * `@tensorflow/tfjs-layers` is imported.
 */
export function installGradients(): void {
  if ((getGradient('Einsum') as GradConfig | undefined) === undefined) {
    registerGradient(einsumGradient);
  }
  for (const own of stockGradients) {
    const stock = getGradient(own.operation) as GradConfig | undefined;
    if (stock === undefined || installed.has(stock)) continue;
    const config = replacement(own, stock);
    installed.add(config);
    registerGradient(config);
  }
}

function replacement(
  { operation, kernel, saves, gradient }: StockGradient,
  stock: GradConfig,
): GradConfig {
  return {
    kernelName: operation,
    ...(saves === 'output' ? { outputsToSave: [true] } : { inputsToSave: [...saves] }),
    gradFunc: (dy, saved, attributes) => {
      // Our kernels have no gradients. Where this gradient is differentiated itself, the stock gradient runs, whose
      // operations have gradients.
      if (kernel === null || (gradientDepth() === 0 && hasKernel(kernel))) {
        const own = gradient(dy as Tensor, saved, attributes);
        if (own !== null) return own;
      }
      return stock.gradFunc(dy, saved, attributes);
    },
  };
}
