import { cast, engine, type Tensor } from '@tensorflow/tfjs-core';

/** Activations of fused kernels, as the kernels that compute them. */
const activations: Readonly<Record<string, string>> = {
  relu: 'Relu',
  relu6: 'Relu6',
  elu: 'Elu',
  sigmoid: 'Sigmoid',
  leakyrelu: 'LeakyRelu',
  prelu: 'Prelu',
};

/** What fused kernels do after a product or a convolution. */
export interface FusedAttributes {
  readonly activation?: string | null;
  readonly leakyreluAlpha?: number;
}

/** Whether {@link finished} knows an activation. */
export function isKnownActivation({ activation }: FusedAttributes): boolean {
  return activation == null || activation === 'linear' || activation in activations;
}

/** A product or a convolution with its bias and its activation, one kernel after another; to be called in `tidy`. */
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
  return run(activations[activation]!, { x: sum, features: sum }, { alpha: leakyreluAlpha });
}
