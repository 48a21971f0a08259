import { inputOf, rowsAndChannels } from '../registry/check-inputs.ts';
import type { WasmKernel } from './wasm-kernel.ts';

/**
 * Layer normalisation over the last axis. It also returns each row's mean and inverse deviation, which its gradient
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
      ...[x, scale, offset, ...out].map((tensor) => heap.pointer(tensor)),
      rows,
      channels,
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
    const sums = heap.scratch(16 * channels);
    heap.kernels.layer_norm_gradient(
      ...[...given, ...out].map((tensor) => heap.pointer(tensor)),
      sums,
      rows,
      channels,
    );
    return out;
  },
};
