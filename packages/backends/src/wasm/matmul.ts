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
import type { WasmKernel } from './wasm-kernel.ts';

/** Bytes of a number, float32 or int32. */
const cell = 4;

/**
 * Matrix products that the stock kernel does not compute, or computes slowly: with a transposed factor, for which it uses a
 * scalar loop; of int32, which it refuses; of empty matrices, whose result it does not set; and those of
 * {@link broadcastProduct}.
 */
export const batchMatMul: WasmKernel = {
  name: 'BatchMatMul',
  run: (call, heap) => {
    const broadcast = broadcastProduct(call);
    if (broadcast !== null) return broadcast;
    const { inputs, attrs } = call;
    const { a, b } = inputs as Record<'a' | 'b', TensorInfo>;
    const { transposeA, transposeB } = attrs as { transposeA: boolean; transposeB: boolean };
    const { dtype } = a;
    if (b.dtype !== dtype || (dtype !== 'float32' && dtype !== 'int32')) return null;
    const [batchA, batchB] = [batchOf(a), batchOf(b)];
    const [m, k] = sides(a, transposeA);
    const [inner, n] = sides(b, transposeB);
    if (inner !== k) return null;
    const isEmpty = m * n * k * batchA * batchB === 0;
    if (dtype === 'float32' && !transposeA && !transposeB && !isEmpty) return null;

    const outer = outerShape(a, b);
    const out = heap.output([...outer, m, n], dtype);
    if (isEmpty) {
      heap.clear(out);
      return out;
    }
    const rowCells = transposeA ? m * k : 0;
    const scratch = heap.scratch(cell * (rowCells + k * panelChannels(n)));
    const packed = scratch + cell * rowCells;
    const { kernels } = heap;
    for (let batch = 0; batch < Math.max(batchA, batchB); batch += 1) {
      const left = heap.pointer(a) + cell * (batchA === 1 ? 0 : batch * m * k);
      const right = heap.pointer(b) + cell * (batchB === 1 ? 0 : batch * k * n);
      if (transposeA) kernels.transpose(left, scratch, k, m);
      const rows = transposeA ? scratch : left;
      const product = heap.pointer(out) + cell * batch * m * n;
      if (dtype === 'int32') {
        if (transposeB) kernels.transpose(right, packed, n, k);
        kernels.integer_product(rows, transposeB ? packed : right, product, m, n, k);
      } else {
        kernels.pack_matrix(right, packed, k, n, transposeB ? 1 : 0);
        kernels.product(heap.job, rows, packed, product, m, n, k);
      }
    }
    return out;
  },
};

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

/**
 * Fused products that the stock kernel gets wrong or refuses:
 *
 * - with a transposed factor: it is wrong for inner sizes above 48
 * - of int32, or with a bias of several axes: it refuses them
 * - with one bias for all columns: it reads the memory of other tensors
 * - of an inner size of 0: it adds no bias
 * - of batches: it computes a part of them
 */
export const fusedMatMul: WasmKernel = {
  name: '_FusedMatMul',
  run: ({ inputs, attrs }) => {
    const { a, b, bias } = inputs as Record<string, Tensor | undefined>;
    const given = attrs as unknown as FusedAttributes &
      Record<'transposeA' | 'transposeB', boolean>;
    const { transposeA, transposeB } = given;
    const [inner, columns] = sides(b!, transposeB);
    const isMatrix = [a!, b!].every((one) => one.rank <= 3 && batchOf(one) === 1) && inner > 0;
    const isPlain = a!.dtype === 'float32' && !transposeA && !transposeB && isMatrix;
    const isBiased = bias == null || util.arraysEqual(bias.shape, [columns]);
    if (isPlain && isBiased) return null;
    return tidy(() => {
      const product = { a: a!, b: b! };
      const attributes = { transposeA, transposeB };
      const result = engine().runKernel<Tensor>('BatchMatMul', product, attributes);
      return finished(result, inputs as Record<string, Tensor | undefined>, given);
    });
  },
};
