import { util } from '@tensorflow/tfjs-core';
import { inputOf } from '../registry/check-inputs.ts';
import type { WasmKernel } from './wasm-kernel.ts';

/** The activation `x Φ(x)` with Φ the normal distribution function, or its approximation by tanh. */
export const gelu: WasmKernel = {
  name: 'Gelu',
  run: ({ inputs, attrs }, heap) => {
    const x = inputOf('Gelu', inputs, 'x');
    const { approximate } = attrs as unknown as { approximate: boolean };
    const out = heap.output(x.shape);
    const size = util.sizeFromShape(x.shape);
    const [source, target] = [heap.pointer(x), heap.pointer(out)];
    heap.kernels.gelu(heap.job, 0, source, target, size, approximate ? 1 : 0);
    return out;
  },
};

/** The gradient of `Gelu` with respect to x: `dy` times the derivative at x. */
export const geluGrad: WasmKernel = {
  name: 'GeluGrad',
  run: ({ inputs, attrs }, heap) => {
    const dy = inputOf('GeluGrad', inputs, 'dy');
    const x = inputOf('GeluGrad', inputs, 'x', dy.shape);
    const { approximate } = attrs as unknown as { approximate: boolean };
    const out = heap.output(x.shape);
    heap.kernels.gelu(
      heap.job,
      heap.pointer(dy),
      heap.pointer(x),
      heap.pointer(out),
      util.sizeFromShape(x.shape),
      approximate ? 1 : 0,
    );
    return out;
  },
};

/** Dropout whose mask is a function of a key. */
export const seededDropout: WasmKernel = {
  name: 'SeededDropout',
  run: ({ inputs, attrs }, heap) => {
    const x = inputOf('SeededDropout', inputs, 'x');
    const { rate, key } = attrs as unknown as { rate: number; key: [number, number] };
    const out = heap.output(x.shape);
    const size = util.sizeFromShape(x.shape);
    heap.kernels.dropout(heap.pointer(x), heap.pointer(out), size, rate, key[0] | 0, key[1] | 0);
    return out;
  },
};
