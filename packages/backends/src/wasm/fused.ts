import { cast, engine, type Tensor } from '@tensorflow/tfjs-core';
import { activationKernels } from '../registry/activation-kernels.ts';

/** Attributes that say what a fused kernel does after its product or convolution. */
export interface FusedAttributes {
  readonly activation?: string | null;
  readonly leakyreluAlpha?: number;
}

/** Adds the bias to a product or convolution, then applies the activation, each by its own kernel. Call it in `tidy`. */
export function finished(
  product: Tensor,
  { bias, preluActivationWeights }: Readonly<Record<string, Tensor | undefined>>,
  { activation, leakyreluAlpha }: FusedAttributes,
): Tensor {
  const run = (kernel: string, given: Record<string, Tensor>, attributes = {}): Tensor =>
    engine().runKernel(kernel, given, attributes);
  const sum = bias == null ? product : run('Add', { a: product, b: cast(bias, product.dtype) });
  if (activation == null || activation === 'linear') return sum;
  if (activation === 'prelu') return run('Prelu', { x: sum, alpha: preluActivationWeights! });
  return run(
    activationKernels.get(activation)!,
    { x: sum, features: sum },
    { alpha: leakyreluAlpha },
  );
}
