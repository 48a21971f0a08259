import { lstmGradInputs, lstmInputs, lstmShapes } from '../registry/sequence-inputs.ts';
import { panelBytes } from './panels.ts';
import type { WasmKernel } from './wasm-kernel.ts';

/** A long short-term memory over whole sequences; threads share the samples. */
export const lstm: WasmKernel = {
  name: 'Lstm',
  run: ({ inputs, attrs }, heap) => {
    const given = lstmInputs(inputs);
    const { count, steps, units, mask } = given;
    const { hard } = attrs as unknown as { readonly hard: boolean };
    const out = lstmShapes(given).map((shape) => heap.output(shape));
    const panels = heap.scratch(panelBytes(units, 4 * units));
    heap.kernels.lstm(
      heap.job,
      ...[given.sums, given.recurrent, given.h, given.c].map((tensor) => heap.pointer(tensor)),
      mask === null ? 0 : heap.pointer(mask),
      ...out.map((tensor) => heap.pointer(tensor)),
      ...[panels, count, steps, units, hard ? 1 : 0],
    );
    return out;
  },
};

/** The gradients of `Lstm` with respect to its sums and to the state and cell before the first step. */
export const lstmGrad: WasmKernel = {
  name: 'LstmGrad',
  run: ({ inputs, attrs }, heap) => {
    const given = lstmGradInputs(inputs);
    const { count, steps, units, gates, dStates, dLast, recurrent, c, mask, cells } = given;
    const { hard } = attrs as unknown as { readonly hard: boolean };
    const shapes = [gates.shape, c.shape, c.shape];
    const out = shapes.map((shape) => heap.output(shape));
    const panels = heap.scratch(panelBytes(4 * units, units));
    heap.kernels.lstm_gradient(
      heap.job,
      ...[dStates, dLast, recurrent, c, mask, gates, cells, ...out].map((tensor) =>
        tensor === null ? 0 : heap.pointer(tensor),
      ),
      ...[panels, count, steps, units, hard ? 1 : 0],
    );
    return out;
  },
};
