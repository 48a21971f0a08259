import { inputOf, rowsAndChannels } from '../registry/check-inputs.ts';
import type { WasmKernel } from './wasm-kernel.ts';

/** Rows of one piece of work: by the number of rows alone, so that sums over rows do not depend on threads. */
function rowsOfPiece(rows: number): number {
  return Math.max(16, Math.ceil(rows / 32));
}

/**
 * Layer normalisation over the last axis; threads share the rows. It also returns each row's mean and inverse deviation, which its gradient
 * needs.
 */
export const layerNorm: WasmKernel = {
  name: 'LayerNorm',
  run: ({ inputs, attrs }, heap) => {
    const x = inputOf('LayerNorm', inputs, 'x');
    const [rows, channels] = rowsAndChannels(x.shape);
    const scale = inputOf('LayerNorm', inputs, 'scale', [channels]);
    const offset = inputOf('LayerNorm', inputs, 'offset', [channels]);
    const { epsilon } = attrs as unknown as { epsilon: number };
    const out = [heap.output(x.shape), heap.output([rows]), heap.output([rows])];
    heap.kernels.layer_norm(
      heap.job,
      ...[x, scale, offset, ...out].map((tensor) => heap.pointer(tensor)),
      rows,
      channels,
      rowsOfPiece(rows),
      epsilon,
    );
    return out;
  },
};

/**
 * The gradients of `LayerNorm` with respect to its input, scale and offset, from the means and inverse deviations that
 * it returned.
 */
export const layerNormGrad: WasmKernel = {
  name: 'LayerNormGrad',
  run: ({ inputs }, heap) => {
    const name = 'LayerNormGrad';
    const dy = inputOf(name, inputs, 'dy');
    const [rows, channels] = rowsAndChannels(dy.shape);
    const given = [
      dy,
      inputOf(name, inputs, 'x', dy.shape),
      inputOf(name, inputs, 'scale', [channels]),
      inputOf(name, inputs, 'mean', [rows]),
      inputOf(name, inputs, 'inverseDeviation', [rows]),
    ];
    const out = [heap.output(dy.shape), heap.output([channels]), heap.output([channels])];
    const step = rowsOfPiece(rows);
    const sums = heap.scratch(16 * channels * Math.ceil(rows / step));
    heap.kernels.layer_norm_gradient(
      heap.job,
      ...[...given, ...out].map((tensor) => heap.pointer(tensor)),
      sums,
      rows,
      channels,
      step,
    );
    return out;
  },
};
