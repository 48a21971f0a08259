// What reports, callbacks and checkpoints cost: the same steps of the CG-MNIST network with and without them, in turn.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import '@tensorflow/tfjs-layers';
import * as tf from '@tensorflow/tfjs-core';
import { useBackend } from '@multigrad/backends';
import { csvLogger, jsonLines } from '@multigrad/callbacks';
import { Checkpoints } from '@multigrad/checkpoint';
import {
  divergenceGuard,
  identicalObjectives,
  memoryAlarm,
  MultiObjectiveTrainer,
} from '@multigrad/core';
import { mmpareto } from '@multigrad/strategy-mmpareto';
import { interleave, quantile, ratio } from './interleave.mjs';
import { workloads } from './workloads/index.mjs';

/**
 * @param {{ backend: string, width: number, steps: number, rounds: number, warmup: number }} options `steps` a round,
 *   each round with one checkpoint
 */
export async function benchOverhead({ backend, width, steps, rounds, warmup }) {
  tf.enableProdMode();
  await useBackend(backend);
  const folder = mkdtempSync(join(tmpdir(), 'multigrad-overhead-'));
  const workload = workloads['cg-mnist'];
  const { network, inputs, targets } = workload.make(workload.batchSize, width);
  const trained = new Set(network.trainableVariables);
  const named = [...network.namedVariables];
  const optimizer = tf.train.momentum(0.001, 0.9);
  const trainer = new MultiObjectiveTrainer({
    objectives: (batch, mode) => network.objectives(batch, targets, mode),
    variables: new Map(named.filter(([, variable]) => trained.has(variable))),
    statistics: new Map(named.filter(([, variable]) => !trained.has(variable))),
    parts: network.parts,
    strategy: mmpareto(),
    optimizer,
  });
  const checkpoints = new Checkpoints(join(folder, 'checkpoints'));
  const warn = (message) => {
    throw new Error(message);
  };
  const saves = [];
  const callbacks = [
    jsonLines(join(folder, 'steps.jsonl')),
    csvLogger(join(folder, 'epochs.csv')),
    divergenceGuard(),
    memoryAlarm({ onGrowth: warn }),
    identicalObjectives({ onIdentical: warn }),
    {
      onSafePoint: async ({ logs, snapshot }) => {
        if (logs === null) return;
        const began = performance.now();
        await checkpoints.save(snapshot());
        saves.push(performance.now() - began);
      },
    },
  ];
  const data = Array.from({ length: steps }, () => inputs);
  const fit = (own) => async () => {
    await trainer.fit(data, { epochs: 1, callbacks: own });
  };
  try {
    const times = await interleave({ with: fit(callbacks), without: fit([]) }, { warmup, rounds });
    const { median, low, high } = ratio(times.with, times.without);
    const step = quantile(times.without, 0.5) / steps;
    console.log(
      `overhead on ${backend}, width ${width}: ${step.toFixed(1)} ms a step; with JSON lines, CSV, three guards and a checkpoint every ${steps} steps ` +
        `× ${median.toFixed(4)} (quartiles ${low.toFixed(4)} … ${high.toFixed(4)}, ${rounds} rounds); a checkpoint ${quantile(saves, 0.5).toFixed(1)} ms.`,
    );
  } finally {
    trainer.dispose();
    network.dispose();
    rmSync(folder, { recursive: true, force: true });
  }
}
