import {
  type GradConfig,
  matMul,
  reshape,
  type Tensor,
  tensor2d,
  zerosLike,
} from '@tensorflow/tfjs-core';
import { type Attributes, kernel } from './gradient.ts';

/**
 * Gradients of resized images, which are linear in the image. The stock gradients leave out `halfPixelCenters` and have no
 * gradients themselves.
 */
export const resizingGradients: readonly GradConfig[] = [
  'ResizeBilinear',
  'ResizeNearestNeighbor',
].flatMap((operation) => [
  {
    kernelName: operation,
    inputsToSave: ['images'],
    gradFunc: (dy, [images], attributes) => ({
      images: () => byImages(operation, dy as Tensor, images!, attributes),
    }),
  } satisfies GradConfig,
  {
    kernelName: `${operation}Grad`,
    inputsToSave: ['images', 'dy'],
    gradFunc: (ddx, [images, dy], attributes) => ({
      dy: () =>
        kernel(
          operation,
          { images: ddx as Tensor },
          { ...attributes, size: dy!.shape.slice(1, 3) },
        ),
      images: () => zerosLike(images!),
    }),
  } satisfies GradConfig,
]);

function byImages(operation: string, dy: Tensor, images: Tensor, attributes: Attributes): Tensor {
  const { halfPixelCenters } = attributes as unknown as { readonly halfPixelCenters: boolean };
  if (!halfPixelCenters) return kernel(`${operation}Grad`, { images, dy }, attributes);
  // Multiplies rows by a matrix of weights, then columns by another.
  const [batch, rows, columns, channels] = images.shape as [number, number, number, number];
  const [, newRows, newColumns] = dy.shape as [number, number, number, number];
  const weigh = operation === 'ResizeBilinear' ? betweenNeighbors : ofNearest;
  const byRows = matMul(
    weightsOf(rows, newRows, weigh),
    reshape(dy, [batch, newRows, newColumns * channels]),
    true,
  );
  const byColumns = matMul(
    weightsOf(columns, newColumns, weigh),
    reshape(byRows, [batch * rows, newColumns, channels]),
    true,
  );
  return reshape(byColumns, images.shape);
}

/** Adds the weight of each old pixel in a new one. `center` is the new pixel's center, in old pixels from the first edge. */
type Weigh = (weights: number[], center: number) => void;

const betweenNeighbors: Weigh = (weights, center) => {
  const last = weights.length - 1;
  const place = Math.max(0, Math.min(last, center - 0.5));
  const below = Math.floor(place);
  weights[below]! += 1 - (place - below);
  if (below < last) weights[below + 1]! += place - below;
};

const ofNearest: Weigh = (weights, center) => {
  weights[Math.min(weights.length - 1, Math.floor(center))]! += 1;
};

/** The matrix of weights: one row for each new pixel, with the weight of each of `length` old ones. */
function weightsOf(length: number, newLength: number, weigh: Weigh): Tensor {
  const matrix = Array.from({ length: newLength }, (_, i) => {
    const weights = Array<number>(length).fill(0);
    weigh(weights, (length / newLength) * (i + 0.5));
    return weights;
  });
  return tensor2d(matrix, [newLength, length], 'float32');
}
