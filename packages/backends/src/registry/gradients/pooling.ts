import {
  div,
  getBackend,
  type GradConfig,
  mul,
  tensor,
  type Tensor,
  zerosLike,
} from '@tensorflow/tfjs-core';
import type { PoolGeometry } from '../../loops/pool-gradients.ts';
import { poolGeometry } from '../pool-geometry.ts';
import { type Attributes, kernel } from './gradient.ts';

/**
 * Gradients of pooling. The stock gradients leave out `dimRoundingMode`, and TensorFlow.js has no gradient of the
 * gradient of average pooling, which is linear.
 */
export const poolingGradients: readonly GradConfig[] = ([2, 3] as const).flatMap((axes) => {
  const dimensions = axes === 2 ? '' : '3D';
  return [
    {
      kernelName: `AvgPool${dimensions}`,
      inputsToSave: ['x'],
      gradFunc: (dy, [x], attributes) => ({
        x: () => {
          const parts = partsOfWindow(axes, x!.shape, attributes);
          const given = parts === null ? (dy as Tensor) : div(dy as Tensor, parts);
          return kernel(`AvgPool${dimensions}Grad`, { dy: given, input: x! }, attributes);
        },
      }),
    } satisfies GradConfig,
    {
      kernelName: `AvgPool${dimensions}Grad`,
      inputsToSave: ['input'],
      gradFunc: (ddx, [input], attributes) => ({
        dy: () => {
          const pooled = kernel(
            `AvgPool${dimensions}`,
            { x: ddx as Tensor },
            { dataFormat: 'NDHWC', ...attributes },
          );
          const parts = partsOfWindow(axes, input!.shape, attributes);
          return parts === null ? pooled : mul(pooled, parts);
        },
        input: () => zerosLike(input!),
      }),
    } satisfies GradConfig,
    {
      kernelName: `MaxPool${dimensions}`,
      inputsToSave: ['x'],
      outputsToSave: [true],
      gradFunc: (dy, [x, y], attributes) => ({
        x: () =>
          kernel(
            `MaxPool${dimensions}Grad`,
            { dy: dy as Tensor, input: x!, output: y! },
            attributes,
          ),
      }),
    } satisfies GradConfig,
  ];
});

/**
 * Backends whose kernel of the gradient divides by the size of the whole window, also where a part lies outside the
 * image.
 */
const wholeWindows: readonly string[] = ['webgl', 'webgpu'];

/**
 * The share of its window that lies inside the image, 0 … 1, for each output of an average pooling. It corrects kernels that
 * divide by whole windows.
 *
 * @returns null where the backend's kernel needs no correction, and for channels first
 */
function partsOfWindow(
  axes: 2 | 3,
  shape: readonly number[],
  attributes: Attributes,
): Tensor | null {
  if (!wholeWindows.includes(getBackend())) return null;
  const geometry = poolGeometry(axes, shape, attributes);
  if (geometry === null) return null;
  const [deep, high, wide] = [0, 1, 2].map((axis) => partsAlong(geometry.pool, axis));
  const parts = deep!.flatMap((d) => high!.flatMap((h) => wide!.map((w) => d * h * w)));
  const places = geometry.pool.output.slice(3 - axes);
  return tensor(parts, [1, ...places, 1], 'float32');
}

/** The share of the window that lies inside the image, for each output along one axis. */
function partsAlong(
  { input, output, kernel: size, strides, before }: PoolGeometry,
  axis: number,
): number[] {
  return Array.from({ length: output[axis]! }, (_, place) => {
    const start = place * strides[axis]! - before[axis]!;
    const end = Math.min(start + size[axis]!, input[axis]!);
    return (end - Math.max(start, 0)) / size[axis]!;
  });
}
