import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, it } from 'vitest';
import {
  expectSameAsStockCpu,
  startWasm,
  valueAndGradients,
} from '../testing/against-stock-cpu.ts';
import { normal } from '../testing/seeded-tensors.ts';

describe('convolution over depth, rows and columns on wasm', () => {
  beforeAll(startWasm);

  afterAll(() => {
    tf.removeBackend('wasm');
  });

  it('has the gradients of stock cpu', async () => {
    const side = fc.integer({ min: 3, max: 5 });
    const small = fc.integer({ min: 1, max: 3 });
    const cases = fc.record({
      size: fc.tuple(side, side, side),
      channels: small,
      outputs: fc.integer({ min: 1, max: 6 }),
      kernel: fc.tuple(small, small, small),
      strides: fc.tuple(small, small, small),
      pad: fc.constantFrom('same' as const, 'valid' as const),
    });
    await fc.assert(
      fc.asyncProperty(cases, async ({ size, channels, outputs, kernel, strides, pad }) => {
        await expectSameAsStockCpu(() =>
          valueAndGradients(
            (x, filter) => tf.conv3d(x as tf.Tensor5D, filter as tf.Tensor5D, strides, pad),
            normal([2, ...size, channels], 1),
            normal([...kernel, channels, outputs], 2),
          ),
        );
      }),
      { numRuns: 40 },
    );
  });
});
