import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import '@tensorflow/tfjs-layers';
import { expectConstantMemory } from '@multigrad/test-support';
import * as tf from '@tensorflow/tfjs-core';
import { expect } from 'vitest';
import { installWasmKernels } from '../wasm/install.ts';
import { normal } from './seeded-tensors.ts';

/** The largest difference allowed, relative to the largest magnitude or 1. Kernels add float32 in different orders. */
const tolerance = 1e-5;

/** Starts the wasm backend with our kernels; the cpu backend keeps its stock ones, as the reference. */
export async function startWasm(): Promise<void> {
  await tf.setBackend('wasm');
  await tf.ready();
  await installWasmKernels(tf.backend());
}

/** Runs `compute` on both backends and expects the same numbers; returns the largest relative difference. */
export async function expectSameAsStockCpu(
  compute: () => tf.Tensor[],
  within = tolerance,
): Promise<number> {
  const results: Record<string, Float32Array[]> = {};
  for (const backend of ['cpu', 'wasm']) {
    await tf.setBackend(backend);
    results[backend] = await expectConstantMemory(() =>
      tf.tidy(() =>
        compute().map((tensor) =>
          tf
            .tidy(() => tensor)
            .dataSync<'float32'>()
            .slice(),
        ),
      ),
    );
  }
  let worst = 0;
  results['cpu']!.forEach((expected, index) => {
    const found = results['wasm']![index]!;
    expect(found.length).toBe(expected.length);
    let difference = 0;
    let magnitude = 0;
    expected.forEach((value, i) => {
      difference = Math.max(difference, Math.abs(value - found[i]!));
      magnitude = Math.max(magnitude, Math.abs(value));
    });
    expect(found.some(Number.isNaN)).toBe(expected.some(Number.isNaN));
    // Inputs are of size 1. A result that is small because its terms cancel has the rounding error of its terms.
    const relative = difference / Math.max(magnitude, 1);
    expect(relative, `result ${index}`).toBeLessThanOrEqual(within);
    worst = Math.max(worst, relative);
  });
  return worst;
}

/** The value of `f` at `inputs`, and the gradients by each input of the sum of its numbers, weighted by fixed numbers. */
export function valueAndGradients(
  f: (...inputs: tf.Tensor[]) => tf.Tensor,
  ...inputs: tf.Tensor[]
): tf.Tensor[] {
  const value = f(...inputs);
  const weights = normal(value.shape, 99);
  const gradients = tf.grads((...xs) => tf.sum(tf.mul(f(...xs), weights)))(inputs);
  return [value, ...gradients];
}
