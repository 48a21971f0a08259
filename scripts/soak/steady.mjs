// Trains a small network for many steps with reports, callbacks and checkpoints: tensors constant, memory flat, the last
// tenth as fast as the first.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { Checkpoints } from '../../packages/checkpoint/dist/index.js';
import { openBackend, smallRun } from './small-run.mjs';

const batchesPerEpoch = 8;

/** Least squares: slope, its standard error, and how far points lie apart beside it. */
function slope(points) {
  const n = points.length;
  const mean = (of) => points.reduce((sum, point) => sum + of(point), 0) / n;
  const [mx, my] = [mean(([x]) => x), mean(([, y]) => y)];
  const sxx = points.reduce((sum, [x]) => sum + (x - mx) ** 2, 0);
  const rate = points.reduce((sum, [x, y]) => sum + (x - mx) * (y - my), 0) / sxx;
  const residuals = points.map(([x, y]) => y - my - rate * (x - mx));
  const rest = residuals.reduce((sum, residual) => sum + residual ** 2, 0);
  const spread = Math.max(...residuals) - Math.min(...residuals);
  return { rate, error: Math.sqrt(rest / (n - 2) / sxx), spread };
}

/** @returns the figures */
export async function steady({ backend, steps, every }) {
  await openBackend(backend);
  const folder = mkdtempSync(join(tmpdir(), 'multigrad-steady-'));
  const run = smallRun({ optimizer: 'adam', strategy: 'moco' });
  const heap = [];
  const resident = [];
  const tensors = new Set();
  const seconds = [];
  let replayed;
  let began = performance.now();
  try {
    const checkpoints = new Checkpoints(folder);
    await run.trainer.fit(run.data, {
      epochs: Math.ceil(steps / batchesPerEpoch),
      callbacks: [
        checkpoints.callback({ everySteps: every, everyEpochs: 1e9 }),
        {
          onSafePoint: ({ step, logs }) => {
            if (logs !== null || step % (steps / 100) !== 0) return;
            // Twice: finalizers run after the first, and free more.
            globalThis.gc();
            globalThis.gc();
            const { heapUsed, external, rss } = process.memoryUsage();
            heap.push([step, heapUsed + external]);
            resident.push([step, rss]);
            const { numTensors, numDataBuffers } = tf.memory();
            tensors.add(`${numTensors} (${numDataBuffers} buffers)`);
            seconds.push((performance.now() - began) / 1000);
            began = performance.now();
          },
        },
      ],
    });
    ({ replayed } = run.trainer.compilation);
  } finally {
    run.dispose();
    rmSync(folder, { recursive: true });
  }
  const sum = (part) => part.reduce((total, value) => total + value, 0);
  const tenth = steps / 10;
  return {
    backend,
    steps,
    tensors: [...tensors],
    replayed,
    // The first fifth fills caches and heaps.
    heap: slope(heap.slice(heap.length / 5)),
    resident: { ...slope(resident.slice(resident.length / 5)), last: resident.at(-1)[1] },
    epochs: Math.ceil(steps / batchesPerEpoch),
    first: tenth / sum(seconds.slice(0, 10)),
    last: tenth / sum(seconds.slice(-10)),
  };
}
