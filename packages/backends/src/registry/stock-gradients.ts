import { runKernel, type TrainingKernel } from '@multigrad/core/kernels';
import type { GradConfig, Tensor } from '@tensorflow/tfjs-core';

type Attributes = Parameters<GradConfig['gradFunc']>[2];

/** Gradients by input name, computed when they are asked for. */
type Gradients = Readonly<Record<string, () => Tensor>>;

/**
 * A gradient of a stock operation that one kernel computes. It is used where the backend in use has that kernel. Everywhere
 * else TensorFlow.js's own gradient is used, which is composed of several kernels.
 */
export interface StockGradient {
  /** The operation, by the name of its forward kernel. */
  readonly operation: string;
  /** The kernel that the gradient needs; null if it needs only what every backend has. */
  readonly kernel: TrainingKernel | null;
  /**
   * The tensors that the gradient reads: inputs of the operation, in this order, or its output. The stock gradient gets the
   * same tensors where it is used. They are those that it saves itself, except for Relu, which gets the output in place of
   * the input: both are positive at the same places. The next operation often holds the output too, so saving it costs no
   * memory.
   */
  readonly saves: readonly string[] | 'output';
  /** Returns the gradients; null where the stock gradient is to be used. */
  readonly gradient: (dy: Tensor, saved: Tensor[], attributes: Attributes) => Gradients | null;
}

/** Our gradients of stock operations, which `tf.relu`, `tf.layers.*` and all that is built on them use. */
export const stockGradients: readonly StockGradient[] = [
  ofActivation('Relu', 'ReluGrad', 'output'),
  ofActivation('Relu6', 'Relu6Grad', ['x']),
  ofActivation('LeakyRelu', 'LeakyReluGrad', ['x']),
  // Elu needs no entry: its stock gradient calls the kernel EluGrad.
  ofActivation('Sigmoid', 'SigmoidGrad', 'output'),
  ofActivation('Tanh', 'TanhGrad', 'output'),
  {
    operation: 'Softmax',
    kernel: 'SoftmaxGrad',
    saves: 'output',
    gradient: (dy, [y], { dim }) =>
      isLastAxis(dim, y!) ? { logits: () => run('SoftmaxGrad', { dy, y: y! }) } : null,
  },
  {
    operation: 'LogSoftmax',
    kernel: 'LogSoftmaxGrad',
    saves: 'output',
    gradient: (dy, [y], { axis }) =>
      isLastAxis(axis, y!) ? { logits: () => run('LogSoftmaxGrad', { dy, y: y! }) } : null,
  },
  {
    operation: 'FusedBatchNorm',
    kernel: 'BatchNormInferenceGrad',
    saves: ['x', 'mean', 'variance', 'scale'],
    gradient: (dy, [x, mean, variance, scale], { varianceEpsilon }) => {
      // Statistics that are not one number for each channel are rare. The stock gradient covers them.
      if (mean!.rank !== 1) return null;
      const [dx, dMean, dVariance, dScale, dOffset] = runKernel(
        'BatchNormInferenceGrad',
        {
          dy,
          x: x!,
          mean: mean!,
          variance: variance!,
          scale: scale!,
        },
        { epsilon: varianceEpsilon },
      ) as [Tensor, Tensor, Tensor, Tensor, Tensor];
      return {
        x: () => dx,
        mean: () => dMean,
        variance: () => dVariance,
        scale: () => dScale,
        offset: () => dOffset,
      };
    },
  },
];

function ofActivation(
  operation: string,
  kernel: TrainingKernel,
  saves: readonly string[] | 'output',
): StockGradient {
  return {
    operation,
    kernel,
    saves,
    gradient: (dy, [value], attributes) => ({
      x: () => run(kernel, { dy, [saves === 'output' ? 'y' : 'x']: value! }, { ...attributes }),
    }),
  };
}

function run(
  kernel: TrainingKernel,
  inputs: Readonly<Record<string, Tensor>>,
  attributes: Readonly<Record<string, unknown>> = {},
): Tensor {
  return runKernel(kernel, inputs, attributes)[0]!;
}

function isLastAxis(axis: unknown, { rank }: Tensor): boolean {
  return axis === rank - 1 || axis === -1;
}
