import {
  add,
  clone,
  engine,
  type GradConfig,
  mul,
  type NamedTensorMap,
  ones,
  rsqrt,
  scalar,
  sub,
  type Tensor,
} from '@tensorflow/tfjs-core';
import { unbroadcast } from './gradient.ts';

/**
 * The gradient of batch norm with given statistics, which may have any axes of x. The stock gradient covers statistics with
 * all axes of x, and those with channels alone.
 */
export const batchNormGradient: GradConfig = {
  kernelName: 'FusedBatchNorm',
  inputsToSave: ['x', 'mean', 'variance', 'scale'],
  gradFunc: (gradient, [x, mean, variance, scale], attributes) => {
    const { varianceEpsilon } = attributes as unknown as { readonly varianceEpsilon: number };
    const dy = gradient as Tensor;
    const inverse = (): Tensor => rsqrt(add(variance!, scalar(varianceEpsilon)));
    const byX = (): Tensor => mul(dy, mul(scale!, inverse()));
    const normalized = (): Tensor => mul(sub(x!, mean!), inverse());
    return {
      x: byX,
      mean: () => unbroadcast(mul(byX(), scalar(-1)), mean!.shape),
      variance: () =>
        unbroadcast(mul(mul(byX(), normalized()), mul(inverse(), scalar(-0.5))), variance!.shape),
      scale: () => unbroadcast(mul(dy, normalized()), scale!.shape),
      offset: () => unbroadcast(clone(dy), mean!.shape),
    };
  },
};

/** The members of TensorFlow.js's engine that are used here; its own types hide some. */
interface TapeEngine {
  runKernel(name: string, inputs: NamedTensorMap, attributes?: object): unknown;
  isTapeOn(): boolean;
}

const completed = new WeakSet<object>();

/**
 * Makes batch norm without scale or offset (`tf.layers.batchNormalization({ scale: false })`) differentiable. `tf.batchNorm`
 * puts the absent inputs on the tape, where each gradient throws. The engine's `runKernel` is replaced: it records a scale
 * of ones for an absent scale, and leaves out an absent offset.
 */
export function completeBatchNorm(): void {
  const each = engine() as unknown as TapeEngine;
  if (completed.has(each)) return;
  completed.add(each);
  const runKernel = each.runKernel.bind(each);
  each.runKernel = (name, inputs, attributes) =>
    runKernel(
      name,
      name === 'FusedBatchNorm' && each.isTapeOn() ? withScale(inputs) : inputs,
      attributes,
    );
}

function withScale(inputs: NamedTensorMap): NamedTensorMap {
  const { scale, offset, ...others } = inputs as NamedTensorMap & {
    readonly scale?: Tensor;
    readonly offset?: Tensor;
  };
  return {
    ...others,
    scale: scale ?? ones(others['mean']!.shape),
    ...(offset !== undefined && { offset }),
  };
}
