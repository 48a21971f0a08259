import { useBackend } from '@multigrad/backends';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, describe, expect, it } from 'vitest';
import { expectSame } from './expect-same.ts';
import { operations } from './page/operations.ts';
import { results } from './page/results.ts';

// Node on the package `webgpu`, with a Vulkan driver that computes on the processor (scripts/software-vulkan).

describe('WebGPU in Node', () => {
  afterAll(() => {
    tf.removeBackend('webgpu');
  });

  it('computes what cpu computes', async () => {
    // The same device is behind the browser's WebGPU, where every operation is looked at.
    const few = { 'many rows, added': operations['many rows, added']! };
    const cpu = await results('cpu', few);
    const found = await results('webgpu', few);
    expect(found.report).toMatchObject({ name: 'webgpu', reason: 'asked for' });
    expect(found.report.gpu?.device).not.toBe('');
    expectSame(found, cpu);
  });

  it('says how to read tensors', async () => {
    await useBackend('webgpu');
    const x = tf.mul(tf.ones([1000]), 2);
    expect(() => x.dataSync()).toThrow(/asynchronously alone: use `await tensor\.data\(\)`/);
    expect((await x.data())[999]).toBe(2);
    x.dispose();
  });

  it('throws at the next read after the device has failed', async () => {
    await useBackend('webgpu');
    const { device } = tf.backend() as unknown as {
      readonly device: { createShaderModule(options: { readonly code: string }): void };
    };
    device.createShaderModule({ code: 'no shader' });
    const x = tf.mul(tf.ones([1000]), 2);
    await expect(x.data()).rejects.toThrow(/^WebGPU failed, and results are wrong since: .*WGSL/s);
    x.dispose();
  });
});
