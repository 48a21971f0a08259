import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  expectSameAsStockCpu,
  startWasm,
  valueAndGradients,
} from '../testing/against-stock-cpu.ts';
import { normal } from '../testing/seeded-tensors.ts';
import { KernelHeap } from './kernel-heap.ts';

describe('the kernels without relaxed SIMD', () => {
  beforeAll(async () => {
    // An engine that knows nothing of it.
    const validate = vi.spyOn(WebAssembly, 'validate').mockReturnValue(false);
    await startWasm();
    validate.mockRestore();
  });

  afterAll(() => {
    tf.removeBackend('wasm');
  });

  it('agree with stock cpu', async () => {
    expect(KernelHeap.of(tf.findBackend('wasm')).relaxedSimd).toBe(false);
    for (const [channels, outputs, stride] of [
      [1, 8, 1],
      [3, 5, 2],
      [9, 3, 1],
      [16, 2, 1],
      [33, 12, 2],
    ] as const) {
      await expectSameAsStockCpu(() =>
        valueAndGradients(
          (x, filter) => tf.conv2d(x as tf.Tensor4D, filter as tf.Tensor4D, stride, 'same'),
          normal([2, 9, 8, channels], 1),
          normal([3, 3, channels, outputs], 2),
        ),
      );
    }
  });
});
