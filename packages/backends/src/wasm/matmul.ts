import { backend_util, engine, type Tensor, type TensorInfo, tidy } from '@tensorflow/tfjs-core';
import { panelChannels } from './convolution.ts';
import type { WasmKernel } from './wasm-kernel.ts';

const float = 4;

/** Products with a transposed factor, for which the stock kernel falls into a scalar loop. */
export const batchMatMul: WasmKernel = {
  name: 'BatchMatMul',
  run: ({ inputs, attrs }, heap) => {
    const { a, b } = inputs as Record<'a' | 'b', TensorInfo>;
    const { transposeA, transposeB } = attrs as { transposeA: boolean; transposeB: boolean };
    if (!transposeA && !transposeB) return null;
    if (a.dtype !== 'float32' || b.dtype !== 'float32') return null;
    const [batchA, batchB] = [batchOf(a), batchOf(b)];
    if (batchA !== batchB && batchA !== 1 && batchB !== 1) return null;
    const [m, k] = sides(a, transposeA);
    const [inner, n] = sides(b, transposeB);
    if (m * n * k * batchA * batchB === 0 || inner !== k) return null;

    const outer = outerShape(a, b);
    const out = heap.output([...outer, m, n]);
    const rowFloats = transposeA ? m * k : 0;
    const scratch = heap.scratch(float * (rowFloats + k * panelChannels(n)));
    const panels = scratch + float * rowFloats;
    const { kernels } = heap;
    for (let batch = 0; batch < Math.max(batchA, batchB); batch += 1) {
      const left = heap.pointer(a) + float * (batchA === 1 ? 0 : batch * m * k);
      const right = heap.pointer(b) + float * (batchB === 1 ? 0 : batch * k * n);
      if (transposeA) kernels.transpose(left, scratch, k, m);
      kernels.pack_matrix(right, panels, k, n, transposeB ? 1 : 0);
      kernels.product(
        heap.job,
        transposeA ? scratch : left,
        panels,
        heap.pointer(out) + float * batch * m * n,
        m,
        n,
        k,
      );
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

/** Fused products with a transposed factor, which the stock kernel computes wrongly for inner sizes above 48. */
export const fusedMatMul: WasmKernel = {
  name: '_FusedMatMul',
  run: ({ inputs, attrs }) => {
    const { a, b, bias, preluActivationWeights } = inputs as Record<string, Tensor | undefined>;
    const { transposeA, transposeB, activation, leakyreluAlpha } =
      attrs as unknown as FusedAttributes;
    if (!transposeA && !transposeB) return null;
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
