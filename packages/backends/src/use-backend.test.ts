import { readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { useBackend } from './use-backend.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

describe('useBackend', () => {
  it('starts wasm with our kernels, and prints no warning', async () => {
    const warn = vi.spyOn(console, 'warn');
    const report = await useBackend('auto');
    expect(report).toEqual({
      name: 'wasm',
      ownKernels: true,
      reason: 'the fastest that needs no installation',
    });
    expect(tf.getBackend()).toBe('wasm');
    await useBackend('wasm');
    expect((await useBackend('cpu')).name).toBe('cpu');
    expect(tf.getBackend()).toBe('cpu');
    expect(warn).not.toHaveBeenCalled();
  });

  it('says so when it falls back to cpu', async () => {
    vi.spyOn(tf.engine(), 'setBackend').mockImplementationOnce(() => Promise.resolve(false));
    const report = await useBackend('auto');
    expect(report.name).toBe('cpu');
    expect(report.reason).toMatch(/wasm did not start: Backend `wasm` did not start here/);
  });

  it('uses a registered backend as it is, and names those that it knows otherwise', async () => {
    tf.registerBackend('own', () => tf.findBackend('cpu'));
    expect(await useBackend('own')).toMatchObject({ name: 'own', ownKernels: false });
    await expect(useBackend('webgpuu')).rejects.toThrow(
      /`webgpuu` is not registered.*Known: auto, wasm, cpu, own/,
    );
    await useBackend('cpu');
    tf.removeBackend('own');
  });

  it('prepares a wasm backend that was made anew', async () => {
    await useBackend('wasm');
    const factory = tf.findBackendFactory('wasm');
    tf.removeBackend('wasm');
    tf.registerBackend('wasm', factory, 2);
    await useBackend('wasm');
    tf.tidy(() => {
      const x = tf.ones<tf.Rank.R4>([1, 3, 3, 1]);
      expect(tf.sum(tf.conv2d(x, tf.ones([2, 2, 1, 1]), 1, 'valid')).dataSync()[0]).toBe(16);
    });
  });

  it('is free of Node in what browsers load', () => {
    for (const file of [
      'use-backend.ts',
      'wasm/kernel-heap.ts',
      'wasm/install.ts',
      'cpu/install.ts',
    ]) {
      expect(readFileSync(new URL(file, import.meta.url), 'utf8')).not.toMatch(/from 'node:/);
    }
  });
});
