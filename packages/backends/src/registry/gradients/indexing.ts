import {
  add,
  cast,
  gatherND,
  type GradConfig,
  mul,
  range,
  type Rank,
  reshape,
  scalar,
  scatterND,
  type Tensor,
  tensor1d,
  transpose,
  unsortedSegmentSum,
  util,
  zeros,
} from '@tensorflow/tfjs-core';
import { stridedPlaces } from '../strided-places.ts';

/** Gradients of operations that take numbers from given places, or put them there. */
export const indexingGradients: readonly GradConfig[] = [
  {
    // The stock gradient is wrong for batches of indices whose rows have more than one number, and takes one batch axis
    // only.
    kernelName: 'GatherV2',
    inputsToSave: ['x', 'indices'],
    gradFunc: (dy, [x, indices], attributes) => {
      const { axis, batchDims } = attributes as unknown as GatherAttributes;
      return {
        x: () => scatterRows(dy as Tensor, x!.shape, indices!, axis, batchDims),
        indices: () => zeros(indices!.shape),
      };
    },
  },
  {
    // TensorFlow.js has no gradient of it.
    kernelName: 'GatherNd',
    inputsToSave: ['params', 'indices'],
    gradFunc: (dy, [params, indices]) => ({
      params: () => scatterND(indices!, dy as Tensor, params!.shape as [number]),
      indices: () => zeros(indices!.shape),
    }),
  },
  {
    // TensorFlow.js has no gradient of it.
    kernelName: 'ScatterNd',
    inputsToSave: ['indices'],
    gradFunc: (dy, [indices]) => ({
      updates: () => gatherND(dy as Tensor, indices!),
      indices: () => zeros(indices!.shape),
    }),
  },
  {
    // TensorFlow.js has no gradient of it.
    kernelName: 'StridedSlice',
    inputsToSave: ['x'],
    gradFunc: (dy, [x], attributes) => ({
      x: () => putBack(dy as Tensor, x!.shape, attributes),
    }),
  },
];

interface GatherAttributes {
  readonly axis: number;
  readonly batchDims?: number;
}

/**
 * The gradient of `gather`: the gradient of each row is added at the place from which the row was taken.
 *
 * The tensor is read as [batches, outer, places, inner]. Where outer is 1, as for rows of a table (embeddings), no
 * transposition is needed.
 */
function scatterRows(
  dy: Tensor,
  shape: number[],
  indices: Tensor,
  axis: number,
  batchDims = 0,
): Tensor {
  const [along] = util.parseAxisParam(axis, shape) as [number];
  const batchAxes = batchDims < 0 ? batchDims + indices.rank : batchDims;
  const batches = util.sizeFromShape(shape.slice(0, batchAxes));
  const outer = util.sizeFromShape(shape.slice(batchAxes, along));
  const places = shape[along]!;
  const inner = util.sizeFromShape(shape.slice(along + 1));
  const taken = util.sizeFromShape(indices.shape.slice(batchAxes));
  const swap = (x: Tensor, first: number, second: number): Tensor =>
    outer === 1 ? x : transpose(reshape(x, [batches, first, second, inner]), [0, 2, 1, 3]);
  const sums = unsortedSegmentSum(
    reshape(swap(dy, outer, taken), [batches * taken, outer * inner]),
    placesOf(indices, batches, taken, places),
    batches * places,
  );
  return reshape(swap(sums, places, outer), shape);
}

/** The indices of all batches in one list. Those of a batch are increased by the number of places in the batches before. */
function placesOf(
  indices: Tensor,
  batches: number,
  taken: number,
  places: number,
): Tensor<Rank.R1> {
  const local = reshape(cast(indices, 'int32'), [batches, taken]);
  const first = mul(range(0, batches, 1, 'int32'), scalar(places, 'int32'));
  const moved = batches === 1 ? local : add(local, reshape(first, [batches, 1]));
  return reshape(moved, [batches * taken]);
}

/** The gradient of a strided slice: each number is put back at its place, axis by axis; the others are 0. */
function putBack(dy: Tensor, shape: number[], attributes: unknown): Tensor {
  const { begin, end, strides } = stridedPlaces(shape, attributes);
  const lengths = shape.map((_, axis) =>
    Math.max(0, Math.ceil((end[axis]! - begin[axis]!) / strides[axis]!)),
  );
  return shape.reduce<Tensor>(
    (gradient, _, axis) => {
      const places = Array.from(
        { length: lengths[axis]! },
        (__, i) => begin[axis]! + i * strides[axis]!,
      );
      const to = gradient.shape.with(axis, shape[axis]!);
      return scatterRows(gradient, to, tensor1d(places, 'int32'), axis);
    },
    reshape(dy, lengths),
  );
}
