import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  MultiObjectiveTrainer,
  tensorBatches,
  type TrainerCallback,
  type TrainerSnapshot,
  type TrainerState,
} from '@multigrad/core';
import { disposeOptimizer, expectConstantMemory, only, variableOf } from '@multigrad/test-support';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, it } from 'vitest';
import { csvLogger, jsonLines, tensorBoard } from './index.ts';
import { readEvents } from './testing/read-events.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const epochs = 3;
const stepsPerEpoch = 3;

/** The end of a process: nothing after it happens. */
const killed = new Error('killed');

/** A snapshot as a file would hold it. */
function copied({ state, tensors }: TrainerSnapshot): TrainerSnapshot {
  return {
    state: JSON.parse(JSON.stringify(state)) as TrainerState,
    tensors: new Map(Array.from(tensors, ([name, one]) => [name, tf.tidy(() => tf.mul(one, 1))])),
  };
}

/** Trains from a snapshot until one of the callback calls, counted from 0, at which it is killed. */
async function train(
  folder: string,
  from: TrainerSnapshot | null,
  killAt: number,
): Promise<TrainerSnapshot | null> {
  const weight = variableOf(() => tf.scalar(2));
  const x = tf.tensor1d([1, 2, 3, 4, 5, 6]);
  const optimizer = tf.train.sgd(0.01);
  const trainer = new MultiObjectiveTrainer<{ x: tf.Tensor }, 'near' | 'far'>({
    objectives: ({ x: batch }) => ({
      near: tf.mean(tf.square(tf.mul(batch, weight))),
      far: tf.mean(tf.square(tf.sub(tf.mul(batch, weight), 3))),
    }),
    variables: new Map([['weight', weight]]),
    strategy: only('near'),
    optimizer,
  });
  let saved = from;
  let calls = 0;
  const count = (): void => {
    calls += 1;
    if (calls > killAt) throw killed;
  };
  const killer: TrainerCallback = {
    onBatchEnd: count,
    onEpochEnd: count,
    onSafePoint: async (point) => {
      count();
      if (saved !== from) tf.dispose([...saved!.tensors.values()]);
      saved = copied(await point.snapshot());
    },
  };
  const log = jsonLines(join(folder, 'steps.jsonl'));
  const board = tensorBoard(folder, { now: () => 0 });
  try {
    await trainer.fit(tensorBatches({ x }, { batchSize: 2, shuffle: 1 }), {
      epochs,
      resume: from === null ? null : trainer.restore(from),
      // The kill comes before, between and after what the others write.
      callbacks: [log, killer, board, csvLogger(join(folder, 'epochs.csv'))],
    });
  } catch (error) {
    if (error !== killed) throw error;
  } finally {
    trainer.dispose();
    disposeOptimizer(optimizer);
    tf.dispose([weight, x]);
    if (from !== null && saved !== from) tf.dispose([...from.tensors.values()]);
  }
  return saved;
}

/** What readers see: marks revoke what an earlier run wrote from their step on. */
function curves(folder: string): unknown[] {
  const seen: { step: number; tag: string; value: unknown }[] = [];
  for (const { kind, step, values } of readEvents(folder)) {
    if (kind === 'start') seen.splice(0, seen.length, ...seen.filter((one) => one.step < step));
    for (const [tag, value] of Object.entries(values)) {
      // Histograms of an epoch that was cut are of what came after.
      if (!tag.startsWith('histogram/')) seen.push({ step, tag, value });
    }
  }
  return seen;
}

describe('files of training that is killed and goes on', () => {
  it('are those of training that was not, wherever it was killed', async () => {
    await expectConstantMemory(async () => {
      const parent = mkdtempSync(join(tmpdir(), 'multigrad-resumed-'));
      const files = (folder: string): unknown[] => [
        ...['steps.jsonl', 'epochs.csv'].map((name) => readFileSync(join(folder, name), 'utf8')),
        curves(folder),
      ];
      const folderOf = (name: string): string => join(parent, name);
      const end = await train(folderOf('whole'), null, Infinity);
      tf.dispose([...end!.tensors.values()]);
      const expected = files(folderOf('whole'));
      // A step is two calls, an epoch's end two more.
      const calls = epochs * (2 * stepsPerEpoch + 2);
      for (let kill = 1; kill < calls; kill += 1) {
        const folder = folderOf(`killed ${kill}`);
        let saved = await train(folder, null, kill);
        saved = await train(folder, saved, 2);
        saved = await train(folder, saved, Infinity);
        expect(files(folder), `killed at call ${kill}`).toEqual(expected);
        tf.dispose([...saved!.tensors.values()]);
      }
      rmSync(parent, { recursive: true });
    });
  });
});
