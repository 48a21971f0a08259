import { gradientDepth, hasKernel } from '@multigrad/core';
import { getGradient, type GradConfig, registerGradient, type Tensor } from '@tensorflow/tfjs-core';
import { einsumGradient } from './einsum.ts';
import { type StockGradient, stockGradients } from './stock-gradients.ts';

const installed = new WeakSet<GradConfig>();

/**
 * Puts our gradients in the place of TensorFlow.js's own, once; operations without a registered gradient are left as
 * they are (nobody has imported `@tensorflow/tfjs-layers` yet: the next call catches up). Adds those that it lacks.
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
      // A kernel has no gradient: where this one is differentiated itself, the stock gradient's operations have.
      if (kernel === null || (gradientDepth() === 0 && hasKernel(kernel))) {
        const own = gradient(dy as Tensor, saved, attributes);
        if (own !== null) return own;
      }
      return stock.gradFunc(dy, saved, attributes);
    },
  };
}
