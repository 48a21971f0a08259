import '@tensorflow/tfjs-layers';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { useBackend } from '@multigrad/backends';
import { Checkpoints } from '@multigrad/checkpoint';
import {
  fusedAdam,
  fusedMomentum,
  MultiObjectiveTrainer,
  type TrainerOptions,
} from '@multigrad/core';
import type { GradientStrategy } from '@multigrad/core/strategy';
import { famo } from '@multigrad/scalarization';
import { sum } from '@multigrad/strategy-sum';
import {
  disposeOptimizer,
  expectConstantMemory,
  testedBackends,
  variableOf,
} from '@multigrad/test-support';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

// A step that fails leaves nothing behind, skipping gives up in the end, and no checkpoint holds what cannot be trained on.

type Batch = { readonly shift: number };
type Optimizer = TrainerOptions<Batch, string>['optimizer'];
type Variables = ReadonlyMap<string, tf.Variable>;

const optimizers: Record<string, (variables: Variables) => Optimizer> = {
  sgd: () => tf.train.sgd(0.05),
  adam: () => tf.train.adam(0.05),
  'fused momentum': (variables) => fusedMomentum(variables, { learningRate: 0.05 }),
  'fused adam': (variables) => fusedAdam(variables, { learningRate: 0.05 }),
};

class Run {
  readonly variables: Variables;
  readonly mean: tf.Variable = variableOf(() => tf.scalar(0));
  readonly optimizer: Optimizer;
  readonly trainer: MultiObjectiveTrainer<Batch, string>;

  constructor(
    strategy: GradientStrategy,
    kind: string,
    more: Partial<TrainerOptions<Batch, string>> = {},
  ) {
    const kernel: tf.Variable = variableOf(() => tf.tensor1d([1, -2, 0.5]));
    const head: tf.Variable = variableOf(() => tf.scalar(0.5));
    this.variables = new Map([
      ['kernel', kernel],
      ['head', head],
    ]);
    this.optimizer = optimizers[kind]!(this.variables);
    this.trainer = new MultiObjectiveTrainer<Batch, string>({
      objectives: ({ shift }, { training }) => {
        if (training) this.mean.assign(tf.add(tf.mul(this.mean, 0.9), shift));
        const moved = tf.add(tf.sub(kernel, shift), tf.mul(this.mean, 1e-3));
        return {
          near: tf.mean(tf.square(moved)),
          far: tf.mean(tf.square(tf.add(tf.mul(kernel, head), 2 * shift))),
        };
      },
      variables: this.variables,
      statistics: new Map([['mean', this.mean]]),
      strategy,
      optimizer: this.optimizer,
      average: { decay: 0.9 },
      ...more,
    });
  }

  all(): string {
    const { state, tensors } = this.trainer.snapshot();
    return JSON.stringify([
      state,
      Array.from(tensors, ([name, one]) => [name, [...one.dataSync()]]),
    ]);
  }

  free(): void {
    this.trainer.dispose();
    if (this.optimizer instanceof tf.Optimizer) disposeOptimizer(this.optimizer);
    else (this.optimizer as { dispose?: () => void }).dispose?.();
    tf.dispose([...this.variables.values(), this.mean]);
  }
}

const good: Batch = { shift: 0.25 };

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'multigrad-failed-steps-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe.each(testedBackends())('a step that fails, on %s', (backend) => {
  beforeAll(async () => {
    await useBackend(backend);
  });

  it.each(Object.keys(optimizers))('after the update is undone: FAMO with %s', async (kind) => {
    await expectConstantMemory(async () => {
      // The loss before the step is finite, that after it overflows.
      let rate = 0.05;
      const more = { onNonFinite: 'skip', learningRate: () => rate } as const;
      const run = new Run(famo(), kind, more);
      const other = new Run(famo(), kind, more);
      for (const { trainer } of [run, other]) {
        await trainer.trainOnBatch(good);
        await trainer.trainOnBatch(good);
      }
      const before = JSON.parse(run.all()) as [
        { step: number; integration: { step: number } },
        unknown,
      ];
      rate = 1e30;
      const report = await run.trainer.trainOnBatch(good);
      expect(report.skipped).toContain('should be finite');
      rate = 0.05;
      const [state, tensors] = JSON.parse(run.all()) as typeof before;
      expect(tensors).toEqual(before[1]);
      expect(state.step).toBe(before[0].step + 1);
      await run.trainer.trainOnBatch(good);
      await other.trainer.trainOnBatch(good);
      const weights = ({ variables }: Run): number[] =>
        [...variables.values()].flatMap((one) => [...one.dataSync()]);
      expect(weights(run)).toEqual(weights(other));
      run.free();
      other.free();
    });
  });

  it('is undone where an optimizer of one’s own throws half-way', async () => {
    await expectConstantMemory(async () => {
      const run = new Run(sum(), 'sgd', {
        optimizer: (gradients) => {
          for (const [name, gradient] of Object.entries(gradients)) {
            const variable = tf.engine().registeredVariables[name]!;
            tf.tidy(() => variable.assign(tf.sub(variable, gradient)));
            if (variable.rank > 0) throw new Error('half-way');
          }
        },
      });
      const before = run.all();
      await expect(run.trainer.trainOnBatch(good)).rejects.toThrow('half-way');
      expect(run.all()).toBe(before);
      run.free();
    });
  });

  it('is one that names what a strategy combined', async () => {
    const combining = (value: number): GradientStrategy => ({
      specification: 1,
      name: 'combining',
      needs: { gradients: 'rows' },
      init: () => null,
      integrate: ({ objectives }, state) => ({
        weights: new Float64Array(objectives.length).fill(1),
        combine: (rows, { scale, add, constant }) => add(scale(rows[0]!, 1), constant(value)),
        state,
      }),
    });
    await expectConstantMemory(async () => {
      for (const value of [NaN, Infinity]) {
        const run = new Run(combining(value), 'adam');
        const before = run.all();
        await expect(run.trainer.trainOnBatch(good)).rejects.toThrow(
          'Strategy `combining` should combine rows into finite numbers. Found NaN or infinity in its `combine` for `kernel` at step 0.',
        );
        expect(run.all()).toBe(before);
        run.free();
      }
      const run = new Run(combining(0), 'adam');
      await run.trainer.trainOnBatch(good);
      run.free();
    });
  });
});

describe.each(testedBackends())('skipping on %s', (backend) => {
  beforeAll(async () => {
    await useBackend(backend);
  });

  it('gives up after as many steps in a row as are allowed', async () => {
    await expectConstantMemory(async () => {
      const run = new Run(sum(), 'sgd', { onNonFinite: 'skip', maxSkips: 3 });
      const batches = (pattern: string): Batch[] =>
        Array.from(pattern, (sign) => (sign === 'x' ? { shift: NaN } : good));
      await run.trainer.fit(batches('xxx.xxx.xxx'), { epochs: 1 });
      const snapshot = run.trainer.snapshot();
      expect(snapshot.state.skips).toBe(3);
      await expect(run.trainer.fit(batches('x'), { epochs: 1 })).rejects.toThrow(
        /should be finite.* 3 steps in a row before this one were skipped, as many as the option `maxSkips` allows\./,
      );
      run.free();
      // What has been skipped is part of a snapshot: a run that goes on gives up at the same step.
      const later = new Run(sum(), 'sgd', { onNonFinite: 'skip', maxSkips: 3 });
      await later.trainer.fit(batches('.xx'), { epochs: 1 });
      later.trainer.restore(later.trainer.snapshot());
      await expect(later.trainer.fit(batches('xx'), { epochs: 1 })).rejects.toThrow('maxSkips');
      later.free();
    });
    const made: tf.Variable[] = [];
    const objectives = (): Record<string, tf.Scalar> => ({});
    const options = { objectives, variables: made, strategy: sum(), optimizer: () => undefined };
    expect(() => new MultiObjectiveTrainer({ ...options, maxSkips: 0 })).toThrow('`maxSkips`');
  });

  it.each(Object.keys(optimizers).filter((kind) => kind !== 'sgd'))(
    'does not hide NaN in a slot of %s, and keeps the last sound checkpoint',
    async (kind) => {
      await expectConstantMemory(async () => {
        const run = new Run(sum(), kind, { onNonFinite: 'skip', average: { decay: 0.5 } });
        const checkpoints = new Checkpoints(folder, { keep: 1 });
        const batches = Array.from({ length: 20 }, () => good);
        let spoilt = false;
        await expect(
          run.trainer.fit(batches, {
            epochs: 1,
            callbacks: [
              checkpoints.callback({ everySteps: 1 }),
              {
                onBatchBegin: (batch) => {
                  if (batch !== 4 || spoilt) return;
                  spoilt = true;
                  const { state, tensors } = run.trainer.snapshot();
                  const [name, slot] = [...tensors].find(
                    ([key, { rank }]) => key.startsWith('optimizer/') && rank === 1,
                  )!;
                  const nan = tf.fill(slot.shape, NaN);
                  const copies = new Map(
                    Array.from(tensors, ([key, value]) => [key, value.clone() as tf.Tensor]),
                  );
                  copies.get(name)!.dispose();
                  run.trainer.restore({ state, tensors: copies.set(name, nan) });
                  tf.dispose([...copies.values()]);
                },
              },
            ],
          }),
        ).rejects.toThrow(/Found NaN or infinity in `weights\/kernel`.*after step 4/);
        // The last one from before.
        const restored = new Run(sum(), kind, { average: { decay: 0.5 } });
        expect(await new Checkpoints(folder).restore(restored.trainer)).toMatchObject({ step: 4 });
        await restored.trainer.trainOnBatch(good);
        expect([...restored.variables.get('kernel')!.dataSync()].every(Number.isFinite)).toBe(true);
        // Without checkpoints the next step says so.
        await expect(run.trainer.trainOnBatch(good)).rejects.toThrow(
          /should be finite\. Found NaN at step 5\. Found NaN or infinity in weight `kernel`.*optimizer slot `.*kernel`.* from before this step/,
        );
        restored.free();
        run.free();
      });
    },
  );

  it('names statistics that are not finite', async () => {
    await expectConstantMemory(async () => {
      const run = new Run(sum(), 'sgd', { onNonFinite: 'skip' });
      await run.trainer.trainOnBatch(good);
      tf.tidy(() => run.mean.assign(tf.scalar(Infinity)));
      await expect(run.trainer.trainOnBatch(good)).rejects.toThrow(
        'in statistic `mean` from before',
      );
      run.free();
    });
  });
});
