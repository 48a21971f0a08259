// What callbacks cost beside a step of the CG-MNIST network: the step and its callbacks in turn.
import '@tensorflow/tfjs-layers';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { useBackend } from '@multigrad/backends';
import { csvLogger, jsonLines, progressBar, tensorBoard } from '@multigrad/callbacks';
import { MultiObjectiveTrainer } from '@multigrad/core';
import { mmpareto } from '@multigrad/strategy-mmpareto';
import * as tf from '@tensorflow/tfjs-core';
import { interleave, quantile, ratio } from './interleave.mjs';
import { cgMnist } from './workloads/cg-mnist.mjs';

/** Prints what each callback takes per step, as a share of the step. */
export async function benchCallbacks({ backend, width, rounds }) {
  const { name, reason } = await useBackend(backend);
  const { network, inputs, targets } = cgMnist.make(cgMnist.batchSize, width);
  const trainer = new MultiObjectiveTrainer({
    objectives: (batch, mode) => network.objectives(batch, targets, mode),
    variables: network.trainableVariables,
    parts: network.parts,
    strategy: mmpareto(),
    optimizer: tf.train.momentum(1e-3, 0.9),
  });
  const folder = mkdtempSync(join(tmpdir(), 'multigrad-bench-'));
  const now = Date.now;
  const terminal = { write: () => true, isTTY: false };
  const callbacks = {
    'JSON lines': jsonLines(join(folder, 'steps.jsonl')),
    TensorBoard: tensorBoard(join(folder, 'tensorboard'), {
      now,
      variables: network.namedVariables,
    }),
    CSV: csvLogger(join(folder, 'epochs.csv')),
    'progress bar': progressBar({ stream: terminal, stepsPerEpoch: rounds + 3, now }),
  };
  let report;
  const cases = { step: async () => void (report = await trainer.trainOnBatch(inputs)) };
  for (const [label, callback] of Object.entries(callbacks)) {
    await callback.onTrainBegin?.({ step: 0, epoch: 0, batch: 0, epochs: 1, variables: [] });
    await callback.onEpochBegin?.(0);
    cases[label] = async () => {
      await callback.onBatchBegin?.(report.step);
      await callback.onBatchEnd?.(report.step, report);
    };
  }
  try {
    const times = await interleave(cases, { warmup: 3, rounds });
    times['all callbacks'] = times.step.map((_, round) =>
      Object.keys(callbacks).reduce((sum, label) => sum + times[label][round], 0),
    );
    console.log(
      `CG-MNIST step with mmpareto, width ${width}, backend ${name} (${reason}), ${rounds} rounds`,
    );
    for (const [label, own] of Object.entries(times)) {
      const { median, low, high } = ratio(own, times.step);
      const share = [median, low, high].map((value) => (100 * value).toFixed(3));
      console.log(
        `  ${label.padEnd(14)} ${quantile(own, 0.5).toFixed(3).padStart(9)} ms   ${share[0]} % of the step (${share[1]} … ${share[2]})`,
      );
    }
    const logs = { loss: 1, gray_loss: 1, color_loss: 1, multimodal_loss: 1 };
    const ends = Object.entries(callbacks).map(([label, callback]) => {
      let epoch = 0;
      return [label, async () => void (await callback.onEpochEnd?.((epoch += 1), logs))];
    });
    const endTimes = await interleave(Object.fromEntries(ends), { warmup: 1, rounds: 5 });
    console.log('  at the end of an epoch, TensorBoard with histograms of every variable:');
    for (const [label, own] of Object.entries(endTimes)) {
      console.log(`  ${label.padEnd(14)} ${quantile(own, 0.5).toFixed(3).padStart(9)} ms`);
    }
  } finally {
    rmSync(folder, { recursive: true });
    network.dispose();
  }
}
