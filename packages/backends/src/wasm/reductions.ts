import { reductionAxes } from '../registry/reduction-axes.ts';
import type { WasmKernel } from './wasm-kernel.ts';

/** Sums over leading axes (bias gradients) or trailing ones, without the stock kernel's transposition. */
export const sum: WasmKernel = reduction('Sum', () => 1);

/** Means over leading or trailing axes. */
export const mean: WasmKernel = reduction('Mean', (count) => 1 / count);

function reduction(name: string, scaleOf: (count: number) => number): WasmKernel {
  return {
    name,
    run: (call, heap) => {
      const axes = reductionAxes(call);
      if (axes === null) return null;
      const { x, leading, count, kept, outShape } = axes;
      const out = heap.output([...outShape]);
      const scale = scaleOf(count);
      // Where all axes are summed they are leading and trailing ones: lanes run along what is summed.
      if (leading && kept > 1) {
        const totals = heap.scratch(8 * kept);
        heap.kernels.sum_leading(heap.pointer(x), heap.pointer(out), totals, count, kept, scale);
      } else {
        heap.kernels.sum_trailing(heap.pointer(x), heap.pointer(out), kept, count, scale);
      }
      return out;
    },
  };
}
