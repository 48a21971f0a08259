import { type GradConfig, type Tensor, zerosLike } from '@tensorflow/tfjs-core';
import { kernel } from './gradient.ts';

/**
 * Gradients of pooling. Stock: the rounding of odd sizes is left out; the gradient of average pooling, which is linear,
 * has none itself.
 */
export const poolingGradients: readonly GradConfig[] = ['', '3D'].flatMap((dimensions) => [
  {
    kernelName: `AvgPool${dimensions}`,
    inputsToSave: ['x'],
    gradFunc: (dy, [x], attributes) => ({
      x: () => kernel(`AvgPool${dimensions}Grad`, { dy: dy as Tensor, input: x! }, attributes),
    }),
  } satisfies GradConfig,
  {
    kernelName: `AvgPool${dimensions}Grad`,
    inputsToSave: ['input'],
    gradFunc: (ddx, [input], attributes) => ({
      dy: () =>
        kernel(
          `AvgPool${dimensions}`,
          { x: ddx as Tensor },
          { dataFormat: 'NDHWC', ...attributes },
        ),
      input: () => zerosLike(input!),
    }),
  } satisfies GradConfig,
  {
    kernelName: `MaxPool${dimensions}`,
    inputsToSave: ['x'],
    outputsToSave: [true],
    gradFunc: (dy, [x, y], attributes) => ({
      x: () =>
        kernel(`MaxPool${dimensions}Grad`, { dy: dy as Tensor, input: x!, output: y! }, attributes),
    }),
  } satisfies GradConfig,
]);
