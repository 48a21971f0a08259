import {
  backend_util,
  engine,
  type GradConfig,
  reshape,
  sum,
  type Tensor,
  util,
} from '@tensorflow/tfjs-core';

/** The attributes of the forward kernel, as TensorFlow.js hands them to a gradient. */
export type Attributes = Parameters<GradConfig['gradFunc']>[2];

/** Runs one kernel of the backend in use. The tape records it, so that second derivatives use the kernel's own gradient. */
export function kernel(
  name: string,
  inputs: Readonly<Record<string, Tensor>>,
  attributes: object = {},
): Tensor {
  return engine().runKernel<Tensor>(name, inputs, attributes as Attributes);
}

/**
 * The sum of a gradient over the axes along which an input of `shape` was broadcast; the gradient itself where there are
 * none. Pass a copy of `dy` rather than `dy`: a gradient function may not return it, because TensorFlow.js frees it.
 */
export function unbroadcast(gradient: Tensor, shape: number[]): Tensor {
  if (util.arraysEqual(gradient.shape, shape)) return gradient;
  const axes = backend_util.getReductionAxes(shape, gradient.shape);
  return reshape(axes.length > 0 ? sum(gradient, axes) : gradient, shape);
}
