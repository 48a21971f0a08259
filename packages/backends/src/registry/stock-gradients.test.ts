import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers';
import { expectConstantMemory, testedBackends } from '@multigrad/test-support';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { normal } from '../testing/seeded-tensors.ts';
import { useBackend } from '../use-backend.ts';
import { stockGradients } from './stock-gradients.ts';

type Operation = (...inputs: tf.Tensor[]) => tf.Tensor;

/** Each operation that has a gradient of ours, and some that must still get the stock one. */
const cases: readonly [string, Operation, () => tf.Tensor[]][] = [
  ['Relu', (x) => tf.relu(x!), () => [normal([3, 5], 1)]],
  ['Relu6', (x) => tf.relu6(x!), () => [tf.mul(normal([3, 5], 1), 8)]],
  ['LeakyRelu', (x) => tf.leakyRelu(x!, 0.3), () => [normal([3, 5], 1)]],
  ['Sigmoid', (x) => tf.sigmoid(x!), () => [normal([3, 5], 1)]],
  ['Tanh', (x) => tf.tanh(x!), () => [normal([3, 5], 1)]],
  ['Softmax', (x) => tf.softmax(x!), () => [normal([3, 5], 1)]],
  ['LogSoftmax', (x) => tf.logSoftmax(x!), () => [normal([3, 5], 1)]],
  [
    'FusedBatchNorm',
    (x, mean, variance, offset, scale) =>
      tf.batchNorm(
        x as tf.Tensor4D,
        mean as tf.Tensor1D,
        tf.square(variance!) as tf.Tensor1D,
        offset as tf.Tensor1D,
        scale as tf.Tensor1D,
      ),
    () => [normal([2, 3, 3, 5], 1), ...[2, 3, 4, 5].map((seed) => normal([5], seed))],
  ],
  [
    'FusedBatchNorm',
    (x, mean, offset, scale) =>
      tf.batchNorm(
        x as tf.Tensor4D,
        mean as tf.Tensor4D,
        tf.onesLike(mean!) as tf.Tensor4D,
        offset as tf.Tensor4D,
        scale as tf.Tensor4D,
      ),
    () => [1, 2, 3, 4].map((seed) => normal([1, 1, 3, 5], seed)),
  ],
];

function gradients(f: Operation, inputs: () => tf.Tensor[]): Promise<Float32Array[]> {
  return expectConstantMemory(() =>
    tf.tidy(() =>
      tf
        .grads((...xs) => tf.sum(tf.mul(f(...xs), normal(f(...xs).shape, 9))))(inputs())
        .map((gradient) => gradient.dataSync<'float32'>().slice()),
    ),
  );
}

describe('gradients of stock operations', () => {
  const stock: Float32Array[][] = [];

  beforeAll(async () => {
    await tf.setBackend('cpu');
    for (const [, f, inputs] of cases) stock.push(await gradients(f, inputs));
  });

  it('are all covered here', () => {
    expect(new Set(cases.map(([operation]) => operation))).toEqual(
      new Set(stockGradients.map(({ operation }) => operation)),
    );
  });

  it.each(testedBackends())('agree with those of TensorFlow.js on %s', async (backend) => {
    await useBackend(backend);
    for (const [index, [operation, f, inputs]] of cases.entries()) {
      const found = await gradients(f, inputs);
      found.forEach((values, k) => {
        const expected = stock[index]![k]!;
        expect(values.length).toBe(expected.length);
        values.forEach((value, i) => {
          expect(Math.abs(value - expected[i]!), operation).toBeLessThanOrEqual(
            1e-5 * Math.max(1, ...expected.map(Math.abs)),
          );
        });
      });
    }
  });

  it('stay the stock ones on backends without our kernels', async () => {
    await useBackend('cpu');
    tf.copyRegisteredKernels('cpu', 'bare');
    for (const { kernel } of stockGradients) {
      if (kernel !== null) tf.unregisterKernel(kernel, 'bare');
    }
    tf.registerBackend('bare', () => tf.findBackend('cpu'));
    await useBackend('bare');
    for (const [index, [, f, inputs]] of cases.entries()) {
      const found = await gradients(f, inputs);
      found.forEach((values, k) => {
        values.forEach((value, i) => expect(value).toBeCloseTo(stock[index]![k]![i]!, 4));
      });
    }
    await useBackend('cpu');
    tf.removeBackend('bare');
  });
});
