import '@tensorflow/tfjs-layers';
import { attention, gru, layerNorm, lstm } from '@multigrad/core/kernels';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, describe, expect, it } from 'vitest';
import { valueAndGradients } from '../../testing/against-stock-cpu.ts';
import { normal } from '../../testing/seeded-tensors.ts';
import { useBackend } from '../../use-backend.ts';
import { planThreads } from './plan-threads.ts';

/** A new wasm backend on so many threads. */
async function restart(threads: number): Promise<number> {
  const factory = tf.findBackendFactory('wasm') as (() => tf.KernelBackend) | null;
  if (factory !== null) {
    tf.removeBackend('wasm');
    tf.registerBackend('wasm', factory, 2);
  }
  const { wasm } = await useBackend('wasm', { threads });
  return wasm!.threads;
}

/** Everything whose work is shared among threads, in sizes of several pieces. */
function results(): Float32Array[] {
  return tf.tidy(() => {
    const network = (x: tf.Tensor, first: tf.Tensor, second: tf.Tensor): tf.Tensor => {
      const features = tf.relu(tf.conv2d(x as tf.Tensor4D, first as tf.Tensor4D, 1, 'same'));
      const pooled = tf.maxPool(features as tf.Tensor4D, 3, 2, 'same');
      return tf.tanh(tf.conv2d(pooled, second as tf.Tensor4D, 2, 'same'));
    };
    const inputs = [normal([9, 14, 14, 3], 1), normal([5, 5, 3, 12], 2), normal([3, 3, 12, 20], 3)];
    const [tall, wide] = [
      normal([130, 70], 4) as tf.Tensor2D,
      normal([130, 133], 5) as tf.Tensor2D,
    ];
    const dense = { a: wide, b: normal([133, 75], 6) as tf.Tensor2D, bias: normal([75], 7) };
    const products = [
      tf.matMul(tall, wide, true, false),
      tf.matMul(tall, tall, false, true),
      tf.fused.matMul({ ...dense, activation: 'relu' }),
    ];
    const recurrent = [
      [37, 5, 28],
      [7, 28],
      [37, 7],
      [37, 7],
    ].map((shape, k) => normal(shape, k));
    const states = (...[sums, weights, h, c]: tf.Tensor[]): tf.Tensor =>
      lstm({ sums: sums!, recurrent: weights!, h: h!, c: c!, hard: false, output: 'sequence' })!;
    const unit = [
      [37, 5, 21],
      [7, 21],
      [37, 7],
    ].map((shape, k) => normal(shape, 20 + k));
    const unitStates = (...[sums, weights, h]: tf.Tensor[]): tf.Tensor =>
      gru({ sums: sums!, recurrent: weights!, h: h!, hard: false, output: 'sequence' })!;
    const tokens = [11, 12, 13].map((seed) => normal([9, 13, 20], seed));
    const attended = (...[q, k, v]: tf.Tensor[]): tf.Tensor =>
      attention({ q: q!, k: k!, v: v!, heads: 4, scale: 0.4 })!;
    return [
      ...valueAndGradients(states, ...recurrent),
      ...valueAndGradients(unitStates, ...unit),
      ...valueAndGradients(
        (...[x, scale, offset]) =>
          layerNorm({ x: x!, scale: scale!, offset: offset!, epsilon: 1e-3 })!,
        ...[[101, 13], [13], [13]].map((shape, k) => normal(shape, 30 + k)),
      ),
      tf.matMul(normal([700, 40], 8), normal([700, 90], 9), true, false),
      ...valueAndGradients(attended, ...tokens),
      ...valueAndGradients((...xs) => network(xs[0]!, xs[1]!, xs[2]!), ...inputs),
      ...products,
    ].map((tensor) => tensor.dataSync<'float32'>().slice());
  });
}

describe('threads of the wasm kernels', () => {
  afterAll(() => {
    tf.removeBackend('wasm');
  });

  it('give the same bits, however many there are', async () => {
    expect(await restart(3)).toBe(3);
    const many = results();
    for (let again = 0; again < 20; again += 1) expect(results()).toEqual(many);
    expect(await restart(2)).toBe(2);
    expect(results()).toEqual(many);
    expect(await restart(1)).toBe(1);
    expect(results()).toEqual(many);
  });

  it('are fixed once the backend runs, and the report says so', async () => {
    await restart(2);
    const { wasm } = await useBackend('wasm', { threads: 4 });
    expect(wasm).toMatchObject({
      threads: 2,
      threadsReason: 'the backend had started before, and keeps its threads',
    });
  });

  it('are at most 8 unless more are asked for', () => {
    expect(planThreads(12)).toEqual({ threads: 12, reason: 'asked for' });
    const { threads } = planThreads('auto');
    expect(threads).toBeGreaterThanOrEqual(1);
    expect(threads).toBeLessThanOrEqual(8);
  });

  it.each([0, 1.5, 65, NaN, 'many'])('are refused as %s', async (threads) => {
    await expect(useBackend('wasm', { threads: threads as number })).rejects.toThrow(
      /Option `threads` should be 'auto' or an integer from 1 to 64\. Found/,
    );
  });
});
