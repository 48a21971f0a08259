import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MultiObjectiveTrainer, type TrainerSnapshot } from '@multigrad/core';
import { type Files, nodeFiles } from '@multigrad/core/files';
import { type GradientStrategy, MultigradError } from '@multigrad/core/strategy';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type CheckpointName, folderOf, readCheckpoint } from './checkpoint-folder.ts';
import { Checkpoints } from './checkpoints.ts';

let root = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'multigrad-shared-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const adding: GradientStrategy = {
  specification: 1,
  name: 'adding',
  needs: { gradients: 'gramian' },
  init: () => null,
  integrate: ({ objectives }, state) => ({
    weights: new Float64Array(objectives.length).fill(1),
    state,
  }),
};

let state: TrainerSnapshot['state'];
beforeAll(async () => {
  await tf.setBackend('cpu');
  const weights = tf.variable(tf.tensor1d([1, 2]));
  const trainer = new MultiObjectiveTrainer({
    objectives: () => ({ up: tf.mean(weights), down: tf.mean(tf.square(weights)) }),
    variables: new Map([['kernel', weights]]),
    strategy: adding,
    optimizer: tf.train.sgd(0.1),
  });
  await trainer.trainOnBatch(null);
  ({ state } = trainer.snapshot());
});

/** A snapshot whose weights say who made it. */
function snapshotOf(writer: number, step: number): TrainerSnapshot {
  const data = (): Promise<Float32Array> => Promise.resolve(Float32Array.of(writer, step));
  return {
    state: { ...state, step },
    tensors: new Map([['weights/kernel', { dtype: 'float32', shape: [2], data }]]),
  } as unknown as TrainerSnapshot;
}

const taker = { snapshot: () => snapshotOf(0, 0), restore: () => null };

/** Files whose operations `before` delays or accompanies. */
function accompanied(before: (operation: string, path: string) => Promise<unknown>): Files {
  return Object.fromEntries(
    Object.entries(nodeFiles).map(([name, operation]) => [
      name,
      async (...args: readonly [string]) => {
        await before(name, args[0]);
        return (operation as (...given: readonly [string]) => Promise<unknown>)(...args);
      },
    ]),
  ) as unknown as Files;
}

describe('a folder that two runs write', () => {
  it('loses nothing that was saved, in whatever order their file operations come', async () => {
    let number = 0;
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.boolean(), async (scheduler, sameStep) => {
        const folder = join(root, String((number += 1)));
        const sound = new Checkpoints(folder);
        await sound.save(snapshotOf(0, 1));
        const files = accompanied((name) => scheduler.schedule(Promise.resolve(), name));
        const saved: { readonly writer: number; readonly name: CheckpointName }[] = [];
        const runs = [1, 2].map((writer) => {
          return { writer, checkpoints: new Checkpoints(folder, { files, keep: 2 }) };
        });
        // Both go on from the same one.
        const restored = runs.map(({ checkpoints }) => checkpoints.restore(taker));
        await scheduler.waitFor(Promise.all(restored));
        const write = async ({ writer, checkpoints }: (typeof runs)[number]): Promise<void> => {
          for (const step of [2, 3]) {
            const at = sameStep ? step : step + writer * 10;
            saved.push({ writer, name: await checkpoints.save(snapshotOf(writer, at)) });
          }
        };
        const ends = await scheduler.waitFor(Promise.allSettled(runs.map(write)));
        for (const end of ends) {
          if (end.status === 'rejected') expect(end.reason).toMatchObject({ code: 'io' });
        }
        // Those of either run, as it made them: each keeps its two newest.
        for (const { writer, name } of saved) {
          const { tensors } = await readCheckpoint(nodeFiles, folder, name);
          const { bytes } = tensors.get('weights/kernel')!;
          const [found] = new Float32Array(bytes.slice().buffer);
          expect([folderOf(name), found]).toEqual([folderOf(name), writer]);
        }
        // Nothing under a checkpoint's name is half of one.
        for (const name of await sound.list()) await readCheckpoint(nodeFiles, folder, name);
      }),
      { numRuns: 40 },
    );
  });

  it('is written by one save at a time', async () => {
    const checkpoints = new Checkpoints(join(root, 'one'));
    const first = checkpoints.save(snapshotOf(1, 1));
    await expect(checkpoints.save(snapshotOf(1, 2))).rejects.toMatchObject({
      code: 'interleaved-call',
    });
    await first;
    await checkpoints.save(snapshotOf(1, 2));
    expect((await checkpoints.list()).map(({ step }) => step)).toEqual([2, 1]);
  });
});

describe('a checkpoint that another process removes while it is read', () => {
  it.each(['checkpoint.json', 'weights.safetensors', 'training.safetensors'])(
    'gives way to the newer one, before %s',
    async (file) => {
      const folder = join(root, 'run');
      const training = new Checkpoints(folder, { keep: 1 });
      await training.save(snapshotOf(1, 1));
      let done = false;
      const files = accompanied(async (name, path) => {
        if (done || name !== 'look' || !path.endsWith(file)) return;
        done = true;
        await training.save(snapshotOf(1, 2));
      });
      const warnings: string[] = [];
      const onDamaged = (text: string): unknown => warnings.push(text);
      const content = await new Checkpoints(folder, { files, onDamaged }).readNewest();
      expect(content!.manifest.step).toBe(2);
      expect(done).toBe(true);
      expect(warnings).toEqual([]);
    },
  );

  it('is not listed', async () => {
    const folder = join(root, 'run');
    const training = new Checkpoints(folder, { keep: 1 });
    await training.save(snapshotOf(1, 1));
    let done = false;
    const files = accompanied(async (name, path) => {
      if (done || name !== 'look' || !path.endsWith('checkpoint.json')) return;
      done = true;
      await training.save(snapshotOf(1, 2));
    });
    expect(await new Checkpoints(folder, { files }).list()).toEqual([]);
  });

  it('is an error where there is still one of its name that cannot be read', async () => {
    const folder = join(root, 'run');
    await new Checkpoints(folder).save(snapshotOf(1, 1));
    const files = accompanied((name, path) =>
      name === 'look' && path.endsWith('.json')
        ? Promise.reject(Object.assign(new Error('EIO: i/o error'), { code: 'EIO' }))
        : Promise.resolve(),
    );
    const reading = new Checkpoints(folder, { files }).readNewest();
    await expect(reading).rejects.toSatisfy(
      (error) => MultigradError.isInstance(error) && error.code === 'io',
    );
  });
});
