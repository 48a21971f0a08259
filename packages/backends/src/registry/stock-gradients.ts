import { runKernel, type TrainingKernel } from '@multigrad/core';
import type { GradConfig, Tensor } from '@tensorflow/tfjs-core';

type Attributes = Parameters<GradConfig['gradFunc']>[2];

/** Gradients by input name, computed when they are asked for. */
type Gradients = Readonly<Record<string, () => Tensor>>;

/**
 * The gradient of a stock operation, by one kernel where the backend in use has it; it takes the place of TensorFlow.js's
 * own, which is composed of many and stays in use everywhere else.
 */
export interface StockGradient {
  /** The operation, by the name of its forward kernel. */
  readonly operation: string;
  /** The kernel that it needs; null where every backend has what it takes. */
  readonly kernel: TrainingKernel | null;
  /**
   * What the gradient reads, in this order: inputs of the operation, or its output. The stock gradient, which may have
   * to do the work, gets the same: what it saves itself, or (Relu, whose output is positive where its input is) a value
   * that serves as well. The next operation often holds the output too, so saving it costs no memory.
   */
  readonly saves: readonly string[] | 'output';
  /** Null hands the call to the stock gradient. */
  readonly gradient: (dy: Tensor, saved: Tensor[], attributes: Attributes) => Gradients | null;
}

/** The stock gradients that we replace, for users of `tf.relu`, `tf.layers.*` and all that stands on them. */
export const stockGradients: readonly StockGradient[] = [
  ofActivation('Relu', 'ReluGrad', 'output'),
  ofActivation('Relu6', 'Relu6Grad', ['x']),
  ofActivation('LeakyRelu', 'LeakyReluGrad', ['x']),
  // Elu's own gradient calls the kernel EluGrad as it is.
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
      // Statistics by number rather than by channel: rare, left to the stock gradient.
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
