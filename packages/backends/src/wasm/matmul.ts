import {
  backend_util,
  engine,
  type Tensor,
  type TensorInfo,
  tidy,
  util,
} from '@tensorflow/tfjs-core';
import { broadcastProduct } from '../registry/broadcast-product.ts';
import { panelChannels } from './convolution.ts';
import { finished, type FusedAttributes } from './fused.ts';
import type { KernelHeap } from './kernel-heap.ts';
import type { WasmKernel } from './wasm-kernel.ts';

/** Bytes of a number, float32 or int32. */
const cell = 4;

/**
 * Rows of the second factor that are packed at a time: with 512 columns they fit the second-level cache, while every row of
 * the first factor meets them. It is a multiple of the depth that one sum takes in `kernels/convolution.c`, so that sums
 * are added up in the same order as without slices.
 */
const slice = 256;

/** Rows of the first factor that meet a slice at a time (`GROUP` there): with no more rows than that, slices gain nothing. */
const group = 16;

/** Multiply-adds below which a product is too small to be shared among threads: waking them takes as long. */
const smallProduct = 50_000;

/**
 * Matrix products. One factor is packed once, and threads share the rows of the other. The stock kernel uses one thread,
 * packs a factor anew for each call too, takes a scalar loop for transposed factors, refuses int32, and does not set the
 * result of empty matrices.
 */
export const batchMatMul: WasmKernel = {
  name: 'BatchMatMul',
  run: (call, heap) => {
    const broadcast = broadcastProduct(call);
    if (broadcast !== null) return broadcast;
    const { a, b } = call.inputs as Record<'a' | 'b', TensorInfo>;
    const attributes = call.attrs as { transposeA: boolean; transposeB: boolean };
    return product(heap, a, b, attributes, null, false);
  },
};

/** The product of two matrices, or of two batches of them, with a bias for each column; null for what it does not compute. */
function product(
  heap: KernelHeap,
  a: TensorInfo,
  b: TensorInfo,
  { transposeA, transposeB }: { readonly transposeA: boolean; readonly transposeB: boolean },
  bias: TensorInfo | null,
  relu: boolean,
): TensorInfo | null {
  const { dtype } = a;
  if (b.dtype !== dtype || (dtype !== 'float32' && dtype !== 'int32')) return null;
  const [batchA, batchB] = [batchOf(a), batchOf(b)];
  const [m, k] = sides(a, transposeA);
  const [inner, n] = sides(b, transposeB);
  if (inner !== k) return null;
  const out = heap.output([...outerShape(a, b), m, n], dtype);
  if (m * n * k * batchA * batchB === 0) {
    heap.clear(out);
    return out;
  }
  // Lanes run along the rows of a transposed factor, but not where there are fewer than 4 columns.
  const transposesFirst = transposeA && (dtype === 'int32' || n < 4);
  const rowCells = transposesFirst ? m * k : 0;
  // The kernels for integers and for fewer than 4 columns take the whole depth. A matrix that many others meet is packed once.
  const sliced = dtype === 'float32' && n >= 4 && m > group && batchB >= batchA;
  const depth = sliced ? Math.min(k, slice) : k;
  const scratch = heap.scratch(cell * (rowCells + depth * panelChannels(n)));
  const packed = scratch + cell * rowCells;
  const { kernels } = heap;
  const job = m * n * depth < smallProduct ? 0 : heap.job;
  for (let batch = 0; batch < Math.max(batchA, batchB); batch += 1) {
    const left = heap.pointer(a) + cell * (batchA === 1 ? 0 : batch * m * k);
    const right = heap.pointer(b) + cell * (batchB === 1 ? 0 : batch * k * n);
    const target = heap.pointer(out) + cell * batch * m * n;
    if (transposesFirst) kernels.transpose(left, scratch, k, m);
    const rows = transposesFirst ? scratch : left;
    if (dtype === 'int32') {
      if (transposeB) kernels.transpose(right, packed, n, k);
      kernels.integer_product(rows, transposeB ? packed : right, target, m, n, k);
      continue;
    }
    const across = transposeA && !transposesFirst;
    const start = bias === null ? 0 : heap.pointer(bias);
    for (let from = 0; from < k; from += depth) {
      const many = Math.min(depth, k - from);
      if (batch === 0 || batchB > 1 || depth < k) {
        const [row, at] = transposeB ? [k, from] : [n, from * n];
        kernels.pack_matrix(job, right + cell * at, packed, many, n, row, transposeB ? 1 : 0);
      }
      const [row, at] = across ? [m, from * m] : [k, from];
      const [last, onTop] = [from + many === k, from > 0];
      kernels.product(
        job,
        rows + cell * at,
        packed,
        target,
        m,
        n,
        many,
        row,
        across ? 1 : 0,
        start,
        relu && last ? 1 : 0,
        onTop ? 1 : 0,
      );
    }
  }
  return out;
}

/**
 * A product with a bias for each column and a ReLU at once. Other biases and activations follow by kernels of their own: the
 * stock kernel is wrong with a transposed factor, for batches, and for one bias for all columns, where it reads the memory
 * of other tensors.
 */
export const fusedMatMul: WasmKernel = {
  name: '_FusedMatMul',
  run: ({ inputs, attrs }, heap) => {
    const { a, b, bias } = inputs as Record<string, Tensor | undefined>;
    const given = attrs as unknown as FusedAttributes &
      Record<'transposeA' | 'transposeB', boolean>;
    const { transposeA, transposeB, activation } = given;
    const [inner, columns] = sides(b!, transposeB);
    const isMatrix = [a!, b!].every((one) => one.rank <= 3 && batchOf(one) === 1) && inner > 0;
    const isBiased = bias == null || util.arraysEqual(bias.shape, [columns]);
    const isFinished = activation == null || activation === 'linear' || activation === 'relu';
    if (isMatrix && isBiased && isFinished && [a!, b!, bias ?? a!].every(isFloat)) {
      const made = product(heap, a!, b!, given, bias ?? null, activation === 'relu');
      if (made !== null) return made;
    }
    return tidy(() => {
      const factors = { a: a!, b: b! };
      const attributes = { transposeA, transposeB };
      const result = engine().runKernel<Tensor>('BatchMatMul', factors, attributes);
      return finished(result, inputs as Record<string, Tensor | undefined>, given);
    });
  },
};

function isFloat({ dtype }: TensorInfo): boolean {
  return dtype === 'float32';
}

function batchOf({ shape }: TensorInfo): number {
  return shape.slice(0, -2).reduce((product, length) => product * length, 1);
}

/** The numbers of rows and columns after the transposition. */
function sides({ shape }: TensorInfo, transposed: boolean): [number, number] {
  const [rows, columns] = [shape.at(-2)!, shape.at(-1)!];
  return transposed ? [columns, rows] : [rows, columns];
}

function outerShape(a: TensorInfo, b: TensorInfo): number[] {
  return backend_util.assertAndGetBroadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2));
}
