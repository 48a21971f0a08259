import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type FitOptions, MultiObjectiveTrainer } from '@multigrad/core';
import { type Files, nodeFiles } from '@multigrad/core/files';
import type { GradientStrategy, Json } from '@multigrad/core/strategy';
import { disposeOptimizer, expectConstantMemory, variableOf } from '@multigrad/test-support';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { folderOf } from './checkpoint-folder.ts';
import { writeCheckpoint } from './write-checkpoint.ts';
import { Checkpoints, type CheckpointsOptions } from './checkpoints.ts';
import { decodeSafetensors, encodeSafetensors, float32Tensor } from './safetensors/index.ts';
import { checkpointFolders, damages, replaceTensors, reseal } from './testing/damage.ts';

let folder = '';
beforeAll(async () => {
  await tf.setBackend('cpu');
});
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'multigrad-checkpoints-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Draws its weights from a count in its state, and keeps a memory. */
const remembering: GradientStrategy = {
  specification: 1,
  name: 'remembering',
  needs: { gradients: 'gramian', memory: true },
  init: () => ({ steps: 1 }),
  integrate: ({ objectives }, state) => {
    const { steps } = state as { steps: number };
    const all = (value: number) => new Float64Array(objectives.length).fill(value);
    return {
      weights: all(1 / steps),
      memoryUpdate: { weights: all(0.5), keep: all(0.3), add: all(1) },
      state: { steps: steps + 1 },
    };
  },
};

type Batch = { x: tf.Tensor2D; y: tf.Tensor2D };

class Run {
  readonly kernel: tf.Variable;
  readonly mean: tf.Variable = variableOf(() => tf.scalar(0));
  readonly optimizer: tf.Optimizer = tf.train.adam(0.05);
  readonly data: Batch = {
    x: tf.tensor2d([1, 0, 0, 1, 1, 1, 2, 1, 1, 3], [5, 2]),
    y: tf.tensor2d([1, 2, 3, 4, 7], [5, 1]),
  };
  readonly trainer: MultiObjectiveTrainer<Batch, 'near' | 'far'>;

  constructor(name = 'kernel', columns = 1) {
    this.kernel = variableOf(() => tf.fill([2, columns], 0.5));
    this.trainer = new MultiObjectiveTrainer({
      objectives: ({ x, y }: Batch) => {
        this.mean.assign(tf.add(tf.mul(this.mean, 0.9), tf.mean(x)));
        const error = tf.sub(tf.matMul(x, this.kernel as unknown as tf.Tensor2D), y);
        return { near: tf.mean(tf.square(error)), far: tf.mean(tf.square(tf.add(error, 2))) };
      },
      variables: new Map([[name, this.kernel]]),
      statistics: new Map([['mean', this.mean]]),
      strategy: remembering,
      optimizer: this.optimizer,
    });
  }

  /** Three steps an epoch. */
  async fit(epochs: number, more: Partial<FitOptions<Batch, 'near' | 'far'>> = {}) {
    return this.trainer.fit(this.data, {
      epochs,
      batchSize: 2,
      shuffle: 3,
      validationData: this.data,
      ...more,
    });
  }

  values(): number[] {
    return [this.kernel, this.mean].flatMap((variable) => [...variable.dataSync()]);
  }

  dispose(): void {
    this.trainer.dispose();
    disposeOptimizer(this.optimizer);
    tf.dispose([this.kernel, this.mean, this.data]);
  }
}

/** Runs `body` on a new run, and expects that nothing of it stays. */
async function withRun<T>(body: (run: Run) => Promise<T>): Promise<T> {
  return expectConstantMemory(async () => {
    const run = new Run();
    try {
      return await body(run);
    } finally {
      run.dispose();
    }
  });
}

/** Trains for some epochs with a checkpoint after every step. */
async function train(epochs: number, options: CheckpointsOptions = {}): Promise<number[]> {
  return withRun(async (run) => {
    const callbacks = [new Checkpoints(folder, options).callback({ everySteps: 1 })];
    await run.fit(epochs, { callbacks });
    return run.values();
  });
}

const steps = async (): Promise<number[]> =>
  (await new Checkpoints(folder).list()).map(({ step }) => step);

describe('Checkpoints', () => {
  it('hands over the newest checkpoint without a trainer, and frees its tensors', async () => {
    expect(await new Checkpoints(folder).read(() => expect.unreachable())).toBeNull();
    const values = await train(1);
    await expectConstantMemory(async () => {
      const taken = await new Checkpoints(folder).read(({ state, tensors }) => ({
        step: state.step,
        kernel: [...tensors.get('weights/kernel')!.dataSync()],
      }));
      expect(taken).toEqual({ step: 3, kernel: values.slice(0, 2) });
    });
    const other = new Checkpoints(folder, { config: { learningRate: 1 } });
    await expect(other.read(() => expect.unreachable())).rejects.toMatchObject({
      code: 'structure-changed',
    });
  });

  it('lets a run go on, bit for bit, from the midst of an epoch', async () => {
    const whole = await withRun(async (run) => {
      const history = await run.fit(4);
      return { history, values: run.values() };
    });
    await withRun(async (run) => {
      const callbacks = [
        new Checkpoints(folder).callback({ everySteps: 2 }),
        {
          onBatchEnd: (_: number, { step }: { step: number }) => {
            if (step === 7) run.trainer.stop();
          },
        },
      ];
      const { stopped } = await run.fit(4, { callbacks });
      expect(stopped).toBe('requested');
    });
    // Eight steps are done: the second of the third epoch was the last.
    expect(await steps()).toEqual([8, 6]);
    await withRun(async (run) => {
      const checkpoints = new Checkpoints(folder);
      const restored = await checkpoints.restore(run.trainer);
      expect(restored).toMatchObject({ step: 8, fit: { epoch: 2, batch: 2 } });
      const history = await run.fit(4, {
        resume: restored!.fit,
        callbacks: [checkpoints.callback({ everySteps: 2 })],
      });
      expect(run.values()).toEqual(whole.values);
      expect(history).toEqual(whole.history);
    });
    expect(await steps()).toEqual([12, 12]);
  });

  it('keeps weights apart from what training alone needs', async () => {
    const values = await train(1);
    const [newest] = checkpointFolders(folder);
    expect(readdirSync(newest!).sort()).toEqual([
      'checkpoint.json',
      'training.safetensors',
      'weights.safetensors',
    ]);
    const read = (file: string) => decodeSafetensors(readFileSync(join(newest!, file))).tensors;
    const weights = read('weights.safetensors');
    expect([...weights.keys()].sort()).toEqual(['statistics/mean', 'weights/kernel']);
    const { bytes } = weights.get('weights/kernel')!;
    expect(new Float32Array(new Uint8Array(bytes).buffer)).toEqual(
      Float32Array.from(values.slice(0, 2)),
    );
    expect([...read('training.safetensors').keys()].sort()).toEqual([
      'memory/0',
      'memory/1',
      'optimizer/accBeta1',
      'optimizer/accBeta2',
      'optimizer/accumulatedFirstMoment/kernel',
      'optimizer/accumulatedSecondMoment/kernel',
    ]);
  });

  it('keeps the newest and the best, and prunes the others', async () => {
    await withRun(async (run) => {
      const checkpoints = new Checkpoints(folder, { keep: 2, keepBest: 2 });
      const scores = [5, 1, NaN, 2, 9, 8];
      for (const score of scores) {
        await run.trainer.trainOnBatch(run.data);
        await checkpoints.save(run.trainer.snapshot(), score);
      }
      expect(await steps()).toEqual([6, 5, 4, 2]);
    });
  });

  it('ranks epochs by the logs that it is told to watch', async () => {
    await withRun(async (run) => {
      const checkpoints = new Checkpoints(folder, { keep: 1, keepBest: 1 });
      const worse = checkpoints.callback({ monitor: 'val_loss', mode: 'max' });
      await run.fit(3, { callbacks: [worse] });
      // The loss falls: the first epoch's is the largest.
      expect(await steps()).toEqual([9, 3]);
    });
    await withRun(async (run) => {
      const checkpoints = new Checkpoints(join(folder, 'other'));
      const callbacks = [checkpoints.callback({ monitor: 'val_los' })];
      await expect(run.fit(1, { callbacks })).rejects.toThrow('should be one of loss, near_loss');
    });
  });

  it('restores the best, also in a process that did not make it, and goes on from there', async () => {
    const weights: number[][] = [];
    await withRun(async (run) => {
      const checkpoints = new Checkpoints(folder, { keep: 1, keepBest: 1 });
      for (const score of [5, 1, 2]) {
        await run.trainer.trainOnBatch(run.data);
        await checkpoints.save(run.trainer.snapshot(), score);
        weights.push(run.values());
      }
      expect(await checkpoints.list()).toMatchObject([
        { step: 3, score: 2 },
        { step: 2, score: 1 },
      ]);
      expect(await checkpoints.restoreBest(run.trainer)).toEqual({ step: 2, fit: null });
      expect(run.values()).toEqual(weights[1]);
    });
    await withRun(async (run) => {
      const checkpoints = new Checkpoints(folder, { keep: 1, keepBest: 1 });
      expect((await checkpoints.restoreBest(run.trainer))!.step).toBe(2);
      expect(run.values()).toEqual(weights[1]);
      await run.trainer.trainOnBatch(run.data);
      expect(run.values()).toEqual(weights[2]);
      await checkpoints.save(run.trainer.snapshot(), 3);
      expect((await checkpoints.list()).map(({ step, score }) => [step, score])).toEqual([
        [3, 3],
        [2, 1],
      ]);
    });
  });

  it('passes over a damaged best one, and has none without scores', async () => {
    await withRun(async (run) => {
      const complaints: string[] = [];
      const checkpoints = new Checkpoints(folder, {
        keep: 3,
        onDamaged: (message) => complaints.push(message),
      });
      expect(await checkpoints.readBest()).toBeNull();
      for (const score of [1, 2, null]) {
        await run.trainer.trainOnBatch(run.data);
        await checkpoints.save(run.trainer.snapshot(), score);
      }
      const [, , best] = await checkpoints.list();
      const file = join(folder, folderOf(best!), 'weights.safetensors');
      const bytes = readFileSync(file);
      bytes[bytes.length - 1]! ^= 1;
      writeFileSync(file, bytes);
      expect((await checkpoints.readBest())!.manifest.step).toBe(2);
      expect(complaints).toHaveLength(1);
      // The damaged one takes no sound one's place.
      const again = new Checkpoints(folder, { keep: 1, keepBest: 1 });
      expect((await again.restoreBest(run.trainer))!.step).toBe(2);
      await run.trainer.trainOnBatch(run.data);
      await again.save(run.trainer.snapshot());
      expect((await again.list()).map(({ step }) => step)).toEqual([3, 2]);
    });
  });

  it('starts anew where there is none', async () => {
    await withRun(async (run) => {
      expect(await new Checkpoints(join(folder, 'none')).restore(run.trainer)).toBeNull();
    });
  });

  it('does not mix two runs in one folder', async () => {
    await train(1);
    const before = await steps();
    await expect(train(1)).rejects.toThrow(
      'holds checkpoints of another run, the newest of step 3',
    );
    expect(await steps()).toEqual(before);
  });

  it('removes what a crash left behind, and nothing that is not its own', async () => {
    await train(1);
    for (const name of [
      '.part-step-00000009-0009',
      '.gone-step-00000001-0001',
      'step-notes',
      '.part-mine',
    ]) {
      mkdirSync(join(folder, name));
    }
    await withRun(async (run) => {
      const checkpoints = new Checkpoints(folder);
      await checkpoints.restore(run.trainer);
      await checkpoints.save(run.trainer.snapshot());
    });
    expect(
      readdirSync(folder)
        .filter((name) => !/^step-\d/.test(name))
        .sort(),
    ).toEqual(['.part-mine', 'step-notes']);
  });

  it('refuses options out of range', () => {
    expect(() => new Checkpoints(folder, { keep: 0 })).toThrow(
      '`keep` should be an integer >= 1. Found 0.',
    );
    expect(() => new Checkpoints(folder, { keepBest: 0.5 })).toThrow('`keepBest`');
    expect(() => new Checkpoints(folder).callback({ everySteps: 0 })).toThrow('`everySteps`');
  });
});

describe('a checkpoint of another run', () => {
  const config: Json = { lr: 0.1, strategy: { name: 'a', gamma: 1 } };

  it('is refused with all that differs in its configuration', async () => {
    await train(1, { config });
    await withRun(async (run) => {
      const other = new Checkpoints(folder, {
        config: { lr: 0.2, strategy: { name: 'a' }, seed: 1 },
      });
      const before = run.values();
      await expect(other.restore(run.trainer)).rejects.toThrow(
        /of another run:\n {2}config.lr: 0.1 in the checkpoint, 0.2 here\n {2}config.strategy.gamma: 1 in the checkpoint, nothing here\n {2}config.seed: nothing in the checkpoint, 1 here$/,
      );
      expect(run.values()).toEqual(before);
    });
  });

  it('is refused with all that differs in its network', async () => {
    await train(1);
    await expectConstantMemory(async () => {
      const other = new Run('renamed', 2);
      await expect(new Checkpoints(folder).restore(other.trainer)).rejects.toMatchObject({
        code: 'structure-changed',
        message: expect.stringMatching(
          /weight `renamed` is missing\n.*weight `kernel` is not known here/,
        ) as string,
      });
      other.dispose();
    });
  });

  it('of a later version is refused, not passed over', async () => {
    await train(1);
    reseal(checkpointFolders(folder)[0]!, (manifest) => {
      manifest['format'] = 3;
    });
    await withRun(async (run) => {
      await expect(new Checkpoints(folder).restore(run.trainer)).rejects.toMatchObject({
        code: 'unsupported',
        message: 'This version reads checkpoints of formats 1 and 2. Found format 3.',
      });
    });
  });
});

describe('a damaged checkpoint', () => {
  it.each(Object.keys(damages))('is passed over for the one before: %s', async (damage) => {
    const whole = await train(2);
    const [newest, previous] = checkpointFolders(folder);
    damages[damage]!(newest!, previous!);
    const warnings: string[] = [];
    await withRun(async (run) => {
      const checkpoints = new Checkpoints(folder, {
        onDamaged: (warning) => void warnings.push(warning),
      });
      const restored = await checkpoints.restore(run.trainer);
      // The last step, before its epoch was over.
      expect(restored).toMatchObject({ step: 6, fit: { epoch: 1, batch: 3 } });
      expect(warnings).toEqual([
        expect.stringMatching(/^The checkpoint step-00000006-0008 in .* is damaged: /),
      ]);
      await run.fit(2, { resume: restored!.fit, callbacks: [checkpoints.callback()] });
      expect(run.values()).toEqual(whole);
    });
    // The damaged one is gone: what was made after it counts.
    const fresh = new Checkpoints(folder, { onDamaged: (warning) => void warnings.push(warning) });
    expect((await fresh.readNewest())!.manifest.step).toBe(6);
    expect(warnings.length).toBe(1);
  });

  it('is an error where there is no other', async () => {
    await train(1, { keep: 1 });
    damages['no weights']!(checkpointFolders(folder)[0]!, '');
    await withRun(async (run) => {
      await expect(new Checkpoints(folder).restore(run.trainer)).rejects.toThrow(
        /All 1 checkpoints in .* are damaged/,
      );
    });
  });

  it('with sound files of wrong tensors is refused by name', async () => {
    await train(1);
    const [newest] = checkpointFolders(folder);
    const zeros = ['weights/kernel', 'statistics/mean', 'weights/more'].map(
      (name) => [name, float32Tensor([1], [0])] as const,
    );
    replaceTensors(newest!, 'weights.safetensors', encodeSafetensors(zeros));
    await withRun(async (run) => {
      await expect(new Checkpoints(folder).restore(run.trainer)).rejects.toThrow(
        /kernel` is float32 \[1\], expected float32 \[2, 1\]\n.*more` is not known here\n.*mean` is float32 \[1\], expected float32 \[\]/,
      );
    });
  });
});

/** The file system of this machine, whose `call`-th operation of a kind fails, counted from 1. */
function failing(kind: 'open' | 'sync' | 'list' | 'rename', call: number, code: string): Files {
  let calls = 0;
  const attempt = (): void => {
    calls += 1;
    if (calls === call) throw Object.assign(new Error(`${code}: for a moment, ${kind}`), { code });
  };
  return {
    ...nodeFiles,
    open: async (path, how) => {
      if (kind === 'open') attempt();
      const file = await nodeFiles.open(path, how);
      const sync = async (): Promise<void> => {
        if (kind === 'sync') attempt();
        await file.sync();
      };
      return { ...file, sync };
    },
    list: async (path) => {
      if (kind === 'list') attempt();
      return nodeFiles.list(path);
    },
    rename: async (from, to) => {
      if (kind === 'rename') attempt();
      await nodeFiles.rename(from, to);
    },
  };
}

describe('a checkpoint that cannot be read for a moment', () => {
  it.each([
    ['open', 'EIO'],
    ['open', 'EMFILE'],
    ['open', 'EACCES'],
    ['list', 'EIO'],
  ] as const)('is not passed over: %s fails with %s', async (kind, code) => {
    await train(1);
    const before = readdirSync(folder).sort();
    await withRun(async (run) => {
      const warnings: string[] = [];
      const checkpoints = new Checkpoints(folder, {
        files: failing(kind, 1, code),
        onDamaged: (warning) => void warnings.push(warning),
      });
      const weights = run.values();
      await expect(checkpoints.restore(run.trainer)).rejects.toMatchObject({
        code: 'io',
        message: expect.stringContaining(code) as string,
      });
      expect(warnings).toEqual([]);
      expect(run.values()).toEqual(weights);
      expect(readdirSync(folder).sort()).toEqual(before);
      expect(await checkpoints.restore(run.trainer)).toMatchObject({ step: 3 });
    });
  });
});

describe('checkpoints that are put aside', () => {
  it('stay, and a run begins anew beside them', async () => {
    const path = join(folder, 'checkpoints');
    await withRun(async (run) => {
      for (const number of [1, 2]) {
        const checkpoints = new Checkpoints(path);
        await run.trainer.trainOnBatch(run.data);
        await checkpoints.save(run.trainer.snapshot());
        expect(await checkpoints.setAside()).toBe(`${path}-aside-${number}`);
        expect(await checkpoints.setAside()).toBeNull();
      }
    });
    expect(readdirSync(folder).sort()).toEqual(['checkpoints-aside-1', 'checkpoints-aside-2']);
    const aside = new Checkpoints(`${path}-aside-2`);
    expect((await aside.readNewest())!.manifest.step).toBe(2);
  });
});

describe('a save that fails in its last moment', () => {
  // The syncs of a save: above the folder, three files, the part, and the folder after the renaming.
  it.each([1, 2, 3, 4, 5, 6])('does not end those that follow: sync %i fails', async (call) => {
    await withRun(async (run) => {
      const path = join(folder, 'checkpoints');
      const checkpoints = new Checkpoints(path, { files: failing('sync', call, 'EIO') });
      await run.trainer.trainOnBatch(run.data);
      await expect(checkpoints.save(run.trainer.snapshot())).rejects.toThrow('EIO');
      await run.trainer.trainOnBatch(run.data);
      await checkpoints.save(run.trainer.snapshot());
      const values = run.values();
      await run.trainer.trainOnBatch(run.data);
      expect(await new Checkpoints(path).restore(run.trainer)).toMatchObject({ step: 2 });
      expect(run.values()).toEqual(values);
    });
  });
});

describe('a file of tensors', () => {
  it('is refused above 4 GiB before anything is written', async () => {
    const { state } = await withRun(async (run) => {
      await run.trainer.trainOnBatch(run.data);
      return run.trainer.snapshot();
    });
    // Five tensors that share memory which nothing touches.
    const raw = { dtype: 'U8', shape: [2 ** 30], bytes: new Uint8Array(2 ** 30) } as const;
    const tensors = new Map([1, 2, 3, 4, 5].map((k) => [`weights/${k}`, raw]));
    const head = { step: 1, serial: 1, score: null, config: null, state };
    await expect(writeCheckpoint(nodeFiles, folder, head, tensors)).rejects.toMatchObject({
      code: 'unsupported',
      message: expect.stringContaining('should have at most 4294901760 bytes. Found 53') as string,
    });
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('a folder that cannot be written', () => {
  it('ends training with an error, and loses nothing', async () => {
    await train(1);
    const before = readdirSync(folder).sort();
    const file = join(folder, 'file');
    writeFileSync(file, '');
    await withRun(async (run) => {
      const callbacks = [new Checkpoints(join(file, 'below')).callback()];
      await expect(run.fit(1, { callbacks })).rejects.toMatchObject({ code: 'io' });
    });
    rmSync(file);
    expect(readdirSync(folder).sort()).toEqual(before);
  });

  it('that is read-only ends training with an error, and loses nothing', async () => {
    await train(1);
    const before = readdirSync(folder).sort();
    // Nobody: root writes wherever it likes.
    const root = process.geteuid!() === 0;
    await withRun(async (run) => {
      const checkpoints = new Checkpoints(folder);
      const restored = await checkpoints.restore(run.trainer);
      chmodSync(folder, 0o555);
      if (root) process.seteuid!(65534);
      const fit = run.fit(2, { resume: restored!.fit, callbacks: [checkpoints.callback()] });
      await fit.then(
        () => expect.unreachable(),
        (error: unknown) => {
          if (root) process.seteuid!(0);
          chmodSync(folder, 0o755);
          expect(error).toMatchObject({
            code: 'io',
            message: expect.stringContaining('EACCES') as string,
          });
        },
      );
    });
    expect(readdirSync(folder).sort()).toEqual(before);
    await withRun(async (run) => {
      expect(await new Checkpoints(folder).restore(run.trainer)).toMatchObject({ step: 3 });
    });
  });
});
