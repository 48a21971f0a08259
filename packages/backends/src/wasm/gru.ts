import { gruGradInputs, gruShapes, recurrentInputs } from '../registry/sequence-inputs.ts';
import { panelBytes } from './panels.ts';
import type { WasmKernel } from './wasm-kernel.ts';

/** A gated recurrent unit over whole sequences; threads share the samples. */
export const gru: WasmKernel = {
  name: 'Gru',
  run: ({ inputs, attrs }, heap) => {
    const given = recurrentInputs('Gru', inputs, 3);
    const { count, steps, units, sums, recurrent, h, mask } = given;
    const { hard } = attrs as unknown as { readonly hard: boolean };
    const out = gruShapes(given).map((shape) => heap.output(shape));
    const ofGates = panelBytes(units, 2 * units);
    const panels = heap.scratch(ofGates + panelBytes(units, units));
    heap.kernels.gru(
      heap.job,
      ...[sums, recurrent, h, mask, ...out].map((tensor) =>
        tensor === null ? 0 : heap.pointer(tensor),
      ),
      ...[panels, panels + ofGates, count, steps, units, hard ? 1 : 0],
    );
    return out;
  },
};

/** The gradients of `Gru` with respect to its sums and to the state before the first step. */
export const gruGrad: WasmKernel = {
  name: 'GruGrad',
  run: ({ inputs, attrs }, heap) => {
    const given = gruGradInputs(inputs);
    const { count, steps, units, dStates, dLast, recurrent, mask, gates, before } = given;
    const { hard } = attrs as unknown as { readonly hard: boolean };
    const out = [heap.output(gates.shape), heap.output([count, units])];
    const ofGates = panelBytes(2 * units, units);
    const panels = heap.scratch(ofGates + panelBytes(units, units));
    heap.kernels.gru_gradient(
      heap.job,
      ...[dStates, dLast, recurrent, mask, gates, before, ...out].map((tensor) =>
        tensor === null ? 0 : heap.pointer(tensor),
      ),
      ...[panels, panels + ofGates, count, steps, units, hard ? 1 : 0],
    );
    return out;
  },
};
