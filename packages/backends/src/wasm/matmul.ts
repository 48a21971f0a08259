import { backend_util, engine, type Tensor, type TensorInfo, tidy } from '@tensorflow/tfjs-core';
import { broadcastProduct } from '../registry/broadcast-product.ts';
import { panelChannels } from './convolution.ts';
import type { WasmKernel } from './wasm-kernel.ts';

/** Bytes of a number, float32 or int32. */
const cell = 4;

/**
 * Products with a transposed factor, for which the stock kernel falls into a scalar loop; products of int32, which it
 * refuses; sums of nothing, whose result it does not set; and {@link broadcastProduct}.
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

/** Rows and columns after the transposition. */
function sides({ shape }: TensorInfo, transposed: boolean): [number, number] {
  const [rows, columns] = [shape.at(-2)!, shape.at(-1)!];
  return transposed ? [columns, rows] : [rows, columns];
}

function outerShape(a: TensorInfo, b: TensorInfo): number[] {
  return backend_util.assertAndGetBroadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2));
}

interface FusedAttributes {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
  readonly activation?: string | null;
  readonly leakyreluAlpha?: number;
}

/** Activations of a fused product, as the kernels that compute them. */
const activations: Readonly<Record<string, string>> = {
  relu: 'Relu',
  relu6: 'Relu6',
  elu: 'Elu',
  sigmoid: 'Sigmoid',
  leakyrelu: 'LeakyRelu',
  prelu: 'Prelu',
};

/**
 * Fused products with a transposed factor, which the stock kernel computes wrongly for inner sizes above 48, and those of
 * int32, which it refuses.
 */
export const fusedMatMul: WasmKernel = {
  name: '_FusedMatMul',
  run: ({ inputs, attrs }) => {
    const { a, b, bias, preluActivationWeights } = inputs as Record<string, Tensor | undefined>;
    const { transposeA, transposeB, activation, leakyreluAlpha } =
      attrs as unknown as FusedAttributes;
    if (a!.dtype === 'float32' && !transposeA && !transposeB) return null;
    const name = activation == null || activation === 'linear' ? null : activations[activation];
    if (name === undefined) return null;
    const run = (kernel: string, given: Record<string, Tensor>, attributes = {}): Tensor =>
      engine().runKernel(kernel, given, attributes);
    return tidy(() => {
      let result = run('BatchMatMul', { a: a!, b: b! }, { transposeA, transposeB });
      if (bias !== undefined) result = run('Add', { a: result, b: bias });
      if (name === null) return result;
      if (name === 'Prelu') return run(name, { x: result, alpha: preluActivationWeights! });
      return run(name, { x: result, features: result }, { alpha: leakyreluAlpha });
    });
  },
};
