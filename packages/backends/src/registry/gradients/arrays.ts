import {
  add,
  cumprod,
  cumsum,
  type GradConfig,
  matMul,
  mul,
  pad,
  reshape,
  reverse,
  slice,
  sum,
  type Tensor,
  transpose,
  util,
} from '@tensorflow/tfjs-core';
import { unbroadcast } from './gradient.ts';

/** Gradients of products, of cumulative sums and of operations that copy numbers to other places. */
export const arrayGradients: readonly GradConfig[] = [
  {
    // The stock gradient throws where a batch was repeated.
    kernelName: 'BatchMatMul',
    inputsToSave: ['a', 'b'],
    gradFunc: (dy, [a, b], attributes) => {
      const { transposeA, transposeB } = attributes as unknown as Transpositions;
      const d = dy as Tensor;
      return {
        a: () =>
          unbroadcast(
            transposeA ? matMul(b!, d, transposeB, true) : matMul(d, b!, false, !transposeB),
            a!.shape,
          ),
        b: () =>
          unbroadcast(
            transposeB ? matMul(d, a!, true, transposeA) : matMul(a!, d, !transposeA, false),
            b!.shape,
          ),
      };
    },
  },
  {
    // The stock gradient throws for an axis other than the last.
    kernelName: 'Cumsum',
    gradFunc: (dy, _, attributes) => {
      const { axis, exclusive, reverse: backward } = attributes as unknown as Accumulation;
      return { x: () => cumsum(dy as Tensor, axis, exclusive, !backward) };
    },
  },
  {
    // The stock gradient leaves out the copies of numbers.
    kernelName: 'MirrorPad',
    inputsToSave: ['x'],
    gradFunc: (dy, [x], attributes) => {
      const { paddings, mode } = attributes as unknown as MirrorPadding;
      const edge = mode === 'reflect' ? 1 : 0;
      return {
        x: () =>
          paddings.reduce<Tensor>(
            (gradient, [before, after], axis) =>
              foldMirrored(gradient, axis, before, after, x!.shape[axis]!, edge),
            dy as Tensor,
          ),
      };
    },
  },
  {
    // The stock gradient throws for five axes and more, and makes a slice for each copy.
    kernelName: 'Tile',
    inputsToSave: ['x'],
    gradFunc: (dy, [x], attributes) => {
      const { reps } = attributes as unknown as { readonly reps: readonly number[] };
      return {
        x: () =>
          reps.reduce<Tensor>(
            (gradient, copies, axis) => addCopies(gradient, axis, copies, x!.shape[axis]!),
            dy as Tensor,
          ),
      };
    },
  },
  {
    // TensorFlow.js has no gradient of it.
    kernelName: 'DepthToSpace',
    gradFunc: (dy, _, attributes) => {
      const { blockSize, dataFormat } = attributes as unknown as SpaceAttributes;
      return { x: () => toDepth(dy as Tensor, blockSize, dataFormat) };
    },
  },
  {
    // The stock gradient throws for axes that are counted from the last.
    kernelName: 'Prod',
    inputsToSave: ['x'],
    gradFunc: (dy, [x], attributes) => {
      const { axis } = attributes as unknown as { readonly axis?: number | number[] };
      return { x: () => mul(spread(dy as Tensor, x!, axis), productOfOthers(x!, axis)) };
    },
  },
];

interface Transpositions {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}

interface Accumulation {
  readonly axis: number;
  readonly exclusive: boolean;
  readonly reverse: boolean;
}

interface MirrorPadding {
  readonly paddings: readonly (readonly [number, number])[];
  readonly mode: 'reflect' | 'symmetric';
}

/** Adds the gradients of the mirrored copies at both ends of an axis to the gradients of the numbers that were copied. */
function foldMirrored(
  gradient: Tensor,
  axis: number,
  before: number,
  after: number,
  length: number,
  edge: number,
): Tensor {
  const part = (start: number, count: number): Tensor => {
    const begin = gradient.shape.map((_, i) => (i === axis ? start : 0));
    return slice(
      gradient,
      begin,
      gradient.shape.map((size, i) => (i === axis ? count : size)),
    );
  };
  /** Reverses the copies' gradients and pads them with zeros to the length of the axis. */
  const mirrored = (copies: Tensor, start: number, count: number): Tensor =>
    pad(
      reverse(copies, axis),
      gradient.shape.map((_, i): [number, number] =>
        i === axis ? [start, length - start - count] : [0, 0],
      ),
    );
  let folded = before + after > 0 ? part(before, length) : gradient;
  if (before > 0) folded = add(folded, mirrored(part(0, before), edge, before));
  if (after > 0) {
    folded = add(folded, mirrored(part(before + length, after), length - edge - after, after));
  }
  return folded;
}

/** The sum over the copies of an axis, which lie one after another. */
function addCopies(gradient: Tensor, axis: number, copies: number, length: number): Tensor {
  if (copies === 1) return gradient;
  const { shape } = gradient;
  const outer = util.sizeFromShape(shape.slice(0, axis));
  const inner = length * util.sizeFromShape(shape.slice(axis + 1));
  const total = sum(reshape(gradient, [outer, copies, inner]), 1);
  return reshape(total, [...shape.slice(0, axis), length, ...shape.slice(axis + 1)]);
}

interface SpaceAttributes {
  readonly blockSize: number;
  readonly dataFormat: string;
}

/** Moves each square of `size` × `size` pixels into the channels of one pixel: the inverse of `tf.depthToSpace`. */
function toDepth(x: Tensor, size: number, dataFormat: string): Tensor {
  if (dataFormat === 'NCHW') {
    const [n, c, h, w] = x.shape as [number, number, number, number];
    const squares = reshape(x, [n, c, h / size, size, w / size, size]);
    return reshape(transpose(squares, [0, 3, 5, 1, 2, 4]), [
      n,
      size * size * c,
      h / size,
      w / size,
    ]);
  }
  const [n, h, w, c] = x.shape as [number, number, number, number];
  const squares = reshape(x, [n, h / size, size, w / size, size, c]);
  return reshape(transpose(squares, [0, 1, 3, 2, 4, 5]), [n, h / size, w / size, size * size * c]);
}

/** Reshapes the gradient of a reduction's result so that it broadcasts to the shape of x: reduced axes get length 1. */
function spread(dy: Tensor, x: Tensor, axis: number | number[] | undefined): Tensor {
  const axes = reduced(x, axis);
  return reshape(
    dy,
    x.shape.map((length, i) => (axes.includes(i) ? 1 : length)),
  );
}

/** `Π_{j ≠ i} x_j` over the axes, computed without a division because x may hold zeros. */
function productOfOthers(x: Tensor, axis: number | number[] | undefined): Tensor {
  const axes = reduced(x, axis);
  const kept = x.shape.map((_, i) => i).filter((i) => !axes.includes(i));
  const order = [...kept, ...axes];
  const moved = transpose(x, order);
  const flat = reshape(moved, [
    util.sizeFromShape(kept.map((i) => x.shape[i]!)),
    util.sizeFromShape(axes.map((i) => x.shape[i]!)),
  ]);
  const others = mul(cumprod(flat, 1, true, false), cumprod(flat, 1, true, true));
  return transpose(
    reshape(others, moved.shape),
    order.map((_, i) => order.indexOf(i)),
  );
}

function reduced(x: Tensor, axis: number | number[] | undefined): number[] {
  return util.parseAxisParam(axis ?? x.shape.map((_, i) => i), x.shape).sort((a, b) => a - b);
}
