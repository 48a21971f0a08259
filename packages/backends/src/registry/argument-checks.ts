import { MultigradError } from '@multigrad/core/strategy';
import {
  gather_util,
  type NamedTensorInfoMap,
  slice_util,
  type Tensor,
  type TensorInfo,
  util,
} from '@tensorflow/tfjs-core';
import { activationKernels } from './activation-kernels.ts';
import type { OwnKernel } from './own-kernel.ts';

type Attributes = Readonly<Record<string, unknown>>;

/** The arguments of a kernel's call, and a function that reads the values of an input. */
interface Arguments {
  readonly kernel: string;
  readonly inputs: NamedTensorInfoMap;
  readonly attributes: Attributes;
  readonly read: (input: TensorInfo) => ArrayLike<number>;
}

type Check = (given: Arguments) => void;

/**
 * Checks of arguments that the stock kernels of cpu and wasm do not check. Given wrong arguments, stock wasm kernels read
 * and write the memory of other tensors or never end, and stock cpu kernels put numbers at wrong places. Each check runs
 * before the kernel of its name and computes nothing itself.
 *
 * @param read - returns the values of a tensor on the backend, without a copy
 */
export function argumentChecks<Access>(
  read: (access: Access, tensor: TensorInfo) => ArrayLike<number>,
): readonly OwnKernel<Access>[] {
  return Object.entries(checks).map(([kernel, check]) => ({
    name: kernel,
    run: ({ inputs, attrs }, access) => {
      check({
        kernel,
        inputs,
        attributes: attrs ?? {},
        read: (input) => read(access, input),
      });
      return null;
    },
  }));
}

const reductions = ['Sum', 'Mean', 'Max', 'Min', 'Prod', 'All', 'Any'];

const activations = ['linear', ...activationKernels.keys()];

const checks: Readonly<Record<string, Check>> = {
  _FusedMatMul: checkActivation,
  FusedConv2D: checkActivation,
  FusedDepthwiseConv2D: checkActivation,
  PadV2: checkPaddings,
  SpaceToBatchND: checkPaddings,
  BatchToSpaceND: checkCrops,
  Slice: checkSlice,
  Transpose: checkPermutation,
  ...Object.fromEntries(reductions.map((kernel) => [kernel, checkAxes])),
  Softmax: ({ inputs, attributes }) =>
    void util.parseAxisParam(attributes['dim'] as number, inputs['logits']!.shape),
  GatherNd: checkGather,
  ScatterNd: ({ kernel, inputs, attributes, read }) =>
    checkScatter(kernel, inputs['indices']!, read, attributes['shape'] as number[]),
  TensorScatterUpdate: ({ kernel, inputs, read }) =>
    checkScatter(kernel, inputs['indices']!, read, inputs['tensor']!.shape),
  SparseToDense: checkSparse,
  Bincount: checkCounted,
  DenseBincount: checkCounted,
  SparseSegmentSum: checkSegments,
  SparseSegmentMean: checkSegments,
  SparseReshape: ({ kernel, inputs, read }) =>
    checkTuples(kernel, inputs['inputIndices']!, read, Array.from(read(inputs['inputShape']!))),
  CropAndResize: ({ kernel, inputs, read }) => {
    const [batch = 0] = inputs['image']!.shape;
    const odd = Array.from(read(inputs['boxInd']!)).find((image) => image < 0 || image >= batch);
    refuseUnless(odd === undefined, kernel, `numbers of images from 0 to ${batch - 1}`, odd);
  },
  SparseFillEmptyRows: ({ kernel, inputs }) =>
    refuseUnless(
      inputs['values']!.shape[0] === inputs['indices']!.shape[0],
      kernel,
      `as many values as indices, ${inputs['indices']!.shape[0]}`,
      inputs['values']!.shape[0],
    ),
};

function checkActivation({ kernel, attributes }: Arguments): void {
  const found = attributes['activation'] as string | null | undefined;
  const fits = found == null || activations.includes(found);
  refuseUnless(fits, kernel, `one of the activations ${activations.join(', ')}`, found);
}

function checkPaddings({ kernel, attributes }: Arguments): void {
  const paddings = attributes['paddings'] as readonly (readonly number[])[];
  const fits = paddings.flat().every((count) => count >= 0);
  refuseUnless(fits, kernel, 'paddings of 0 and more; tf.slice takes numbers away', paddings);
}

function checkCrops({ kernel, inputs, attributes }: Arguments): void {
  const { blockShape, crops } = attributes as {
    readonly blockShape: readonly number[];
    readonly crops: readonly (readonly [number, number])[];
  };
  const lengths = blockShape.map((block, axis) => block * inputs['x']!.shape[axis + 1]!);
  const fits = crops.every(
    ([first, last], axis) => first >= 0 && last >= 0 && first + last <= lengths[axis]!,
  );
  refuseUnless(fits, kernel, `crops of 0 and more within axes of [${String(lengths)}]`, crops);
}

function checkSlice({ kernel, inputs, attributes }: Arguments): void {
  const x = inputs['x'] as Tensor;
  const given = attributes as { readonly begin: number[]; readonly size: number[] };
  const [begin, size] = slice_util.parseSliceParams(x, given.begin, given.size) as Slice;
  const fits = begin.every((first) => first >= 0) && size.every((length) => length >= 0);
  refuseUnless(fits, kernel, 'begins and sizes of 0 and more', [begin, size]);
  slice_util.assertParamsValid(x, begin, size);
}

type Slice = [number[], number[]];

function checkPermutation({ kernel, inputs, attributes }: Arguments): void {
  const perm = attributes['perm'] as readonly number[];
  const rank = inputs['x']!.shape.length;
  const fits = new Set(perm).size === rank;
  refuseUnless(fits, kernel, `each of its ${rank} axes once`, perm);
}

function checkAxes({ kernel, inputs, attributes }: Arguments): void {
  const { shape } = inputs['x']!;
  const given = attributes['axis'] ?? attributes['reductionIndices'] ?? [];
  const axes = util.parseAxisParam(given as number[], shape);
  refuseUnless(new Set(axes).size === axes.length, kernel, 'different axes', given);
}

function checkGather({ kernel, inputs, read }: Arguments): void {
  const { params, indices } = inputs as Record<'params' | 'indices', TensorInfo>;
  // Refuses shapes that do not fit.
  gather_util.prepareAndValidate(params, indices);
  checkTuples(kernel, indices, read, params.shape);
}

function checkSparse({ kernel, inputs, attributes, read }: Arguments): void {
  const { sparseIndices, sparseValues } = inputs as Record<string, TensorInfo>;
  const count = sparseIndices!.shape[0] ?? 1;
  const fits = sparseValues!.shape.length === 0 || sparseValues!.shape[0] === count;
  refuseUnless(fits, kernel, `one value, or ${count}`, sparseValues!.shape[0]);
  const shape = attributes['outputShape'] as number[];
  checkTuples(kernel, sparseIndices!, read, shape, sparseIndices!.shape.length < 2);
}

function checkScatter(
  kernel: string,
  indices: TensorInfo,
  read: Arguments['read'],
  shape: readonly number[],
): void {
  refuseUnless(indices.shape.at(-1) !== 0, kernel, 'indices of one number and more', indices.shape);
  checkTuples(kernel, indices, read, shape, indices.shape.length < 2);
}

/**
 * Refuses tuples of indices that name no place in the first axes of an array of `shape`. Tuples lie along the last axis of
 * `indices`.
 *
 * @param single - whether each number of `indices` is a tuple of its own
 */
function checkTuples(
  kernel: string,
  indices: TensorInfo,
  read: Arguments['read'],
  shape: readonly number[],
  single = false,
): void {
  const depth = single ? 1 : (indices.shape.at(-1) ?? 1);
  const values = read(indices);
  for (let i = 0; i < values.length; i += 1) {
    const index = values[i]!;
    if (index >= 0 && index < shape[i % depth]!) continue;
    const tuple = Array.from(values).slice(i - (i % depth), i - (i % depth) + depth);
    refuseUnless(false, kernel, `indices into a shape of [${String(shape)}]`, tuple);
  }
}

function checkCounted({ kernel, inputs, read }: Arguments): void {
  const { x, weights } = inputs as Record<'x' | 'weights', TensorInfo>;
  const lowest = Array.from(read(x)).find((value) => value < 0);
  refuseUnless(lowest === undefined, kernel, 'integers of 0 and more', lowest);
  const fits = weights.shape.includes(0) || util.arraysEqual(weights.shape, x.shape);
  refuseUnless(fits, kernel, `weights of shape [${String(x.shape)}], or none`, weights.shape);
}

function checkSegments({ kernel, inputs }: Arguments): void {
  const { indices, segmentIds } = inputs as Record<'indices' | 'segmentIds', TensorInfo>;
  const [count] = indices.shape;
  const fits = segmentIds.shape[0] === count;
  refuseUnless(fits, kernel, `as many segmentIds as indices, ${count}`, segmentIds.shape[0]);
}

function refuseUnless(fits: boolean, kernel: string, expected: string, found: unknown): void {
  if (fits) return;
  throw new MultigradError(
    'invalid-argument',
    `Kernel ${kernel} should get ${expected}. Found ${JSON.stringify(found)}.`,
  );
}
