import { type TensorInfo, util } from '@tensorflow/tfjs-core';
import { anyRowsOf, rowsOf, weightsOf } from '../registry/check-inputs.ts';
import { productNumbers, productsOf } from '../registry/product-inputs.ts';
import type { WasmKernel } from './wasm-kernel.ts';

/** Inner products of the K gradients of one tensor, accumulated in float64. `@multigrad/core` runs it by its name. */
export const gramianOfRows: WasmKernel = {
  name: 'GramianOfRows',
  run: ({ inputs }, heap) => {
    const rows = rowsOf('GramianOfRows', inputs);
    const count = rows.length;
    const out = heap.output([count + count * (count + 1)]);
    const sums = heap.scratch(8 * ((count * (count + 1)) / 2) + 4 * count);
    const pointers = sums + 8 * ((count * (count + 1)) / 2);
    heap.writeIntegers(
      pointers,
      rows.map((row) => heap.pointer(row)),
    );
    heap.kernels.gramian_of_rows(pointers, heap.pointer(out), sums, count, sizeOf(rows));
    return out;
  },
};

/** Inner products of the K gradients of a dense layer's matrix from its input and the gradients of its output. */
export const gramianOfProducts: WasmKernel = {
  name: 'GramianOfProducts',
  run: ({ inputs }, heap) => {
    const { left, rows, batch } = productsOf(inputs);
    const count = rows.length;
    const out = heap.output([productNumbers(count)]);
    const sums = 8 * ((count * (count + 3)) / 2) * Math.max(1, Math.ceil(batch / 8));
    const scratch = heap.scratch(sums + 4 * count);
    const pointers = scratch + sums;
    heap.writeIntegers(
      pointers,
      rows.map((row) => heap.pointer(row)),
    );
    heap.kernels.gramian_of_products(
      heap.job,
      heap.pointer(left),
      pointers,
      heap.pointer(out),
      scratch,
      batch,
      util.sizeFromShape(left.shape) / batch,
      sizeOf(rows) / batch,
      count,
    );
    return out;
  },
};

/** For each row, 1 if all its numbers are finite, else 0. Rows may have any sizes. */
export const finiteRows: WasmKernel = {
  name: 'FiniteRows',
  run: ({ inputs }, heap) => {
    const rows = anyRowsOf('FiniteRows', inputs);
    const out = heap.output([rows.length]);
    const pointers = heap.scratch(8 * rows.length);
    const sizes = pointers + 4 * rows.length;
    heap.writeIntegers(
      pointers,
      rows.map((row) => heap.pointer(row)),
    );
    heap.writeIntegers(
      sizes,
      rows.map(({ shape }) => util.sizeFromShape(shape)),
    );
    heap.kernels.finite_rows(pointers, sizes, heap.pointer(out), rows.length);
    return out;
  },
};

/** `Σ weights[k] · row_k` in one pass. */
export const combineRows: WasmKernel = {
  name: 'CombineRows',
  run: ({ inputs, attrs }, heap) => {
    const rows = rowsOf('CombineRows', inputs);
    const weights = weightsOf('CombineRows', attrs ?? {}, rows.length);
    const out = heap.output(rows[0]!.shape);
    const pointers = heap.scratch(8 * rows.length);
    const factors = pointers + 4 * rows.length;
    heap.writeIntegers(
      pointers,
      rows.map((row) => heap.pointer(row)),
    );
    heap.writeFloats(factors, weights);
    heap.kernels.combine_rows(pointers, factors, heap.pointer(out), rows.length, sizeOf(rows));
    return out;
  },
};

function sizeOf([first]: readonly TensorInfo[]): number {
  return util.sizeFromShape(first!.shape);
}
