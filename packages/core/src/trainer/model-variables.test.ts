import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import {
  disposeOptimizer,
  expectConstantMemory,
  startTestedBackend,
  testedBackends,
} from '@multigrad/test-support';
import { beforeAll, describe, expect, it } from 'vitest';
import type { GradientStrategy } from '../contract/strategy.ts';
import { modelVariables } from '../network/layer-weights.ts';
import { fusedAdam } from '../optimizers/fused-adam.ts';
import { checkGradients } from '../step/check-gradients.ts';
import { integrateGradients } from '../step/integrate-gradients.ts';
import { fixedWeights, unitSum } from '../testing/strategies.ts';
import { MultiObjectiveTrainer } from './multi-objective-trainer.ts';
import { copySnapshot } from './testing/copy-snapshot.ts';
import type { TrainerOptions } from './trainer-options.ts';

/** Adds half of each gradient to half of its memory. */
const remembering: GradientStrategy = {
  specification: 1,
  name: 'remembering',
  needs: { gradients: 'gramian', memory: true },
  init: () => null,
  integrate: ({ objectives }, state) => {
    const half = new Float64Array(objectives.length).fill(0.5);
    return { weights: half, memoryUpdate: { weights: half, keep: half, add: half }, state };
  },
};

type Options = TrainerOptions<tf.Tensor2D, 'near' | 'far'>;

/** A trunk, batch norm and a head, all with automatic names, with two objectives. */
class Small {
  readonly model = tfl.sequential({
    layers: [
      tfl.layers.dense({ units: 3, inputShape: [2], kernelInitializer: 'ones' }),
      tfl.layers.batchNormalization(),
      tfl.layers.dense({ units: 1, kernelInitializer: 'ones' }),
    ],
  });
  readonly trunk = this.model.layers[0]!;
  readonly norm = this.model.layers[1]!;
  readonly optimizer: Options['optimizer'];
  readonly trainer: MultiObjectiveTrainer<tf.Tensor2D, 'near' | 'far'>;

  constructor(
    strategy: GradientStrategy = unitSum(),
    optimizer = (): Options['optimizer'] => tf.train.momentum(0.1, 0.9),
    rest: Partial<Options> = {},
  ) {
    this.optimizer = optimizer();
    this.trainer = new MultiObjectiveTrainer({
      objectives: (x) => this.objectives(x),
      variables: this.model,
      strategy,
      optimizer: this.optimizer,
      ...rest,
    });
  }

  objectives(x: tf.Tensor2D): { near: tf.Tensor; far: tf.Tensor } {
    const y = this.model.apply(x, { training: true }) as tf.Tensor2D;
    const [a, b] = [tf.sum(x, 1, true), tf.mul(tf.sum(tf.square(x), 1, true), 3)];
    return {
      near: tf.losses.meanSquaredError(a, y),
      far: tf.losses.meanSquaredError(b, y),
    };
  }

  async step(): Promise<void> {
    const x = tf.tensor2d([
      [1, 2],
      [3, -1],
      [0.5, 0.25],
      [-2, 1],
    ]);
    try {
      await this.trainer.trainOnBatch(x);
    } finally {
      x.dispose();
    }
  }

  values(): Record<string, number[]> {
    const { variables, statistics } = modelVariables(this.model);
    return Object.fromEntries(
      Array.from([...variables, ...statistics], ([name, variable]) => [
        name,
        [...variable.dataSync()],
      ]),
    );
  }

  dispose(): void {
    this.trainer.dispose();
    if (this.optimizer instanceof tf.Optimizer) disposeOptimizer(this.optimizer);
    this.model.dispose();
  }
}

const changed = (before: Record<string, number[]>, after: Record<string, number[]>): string[] =>
  Object.keys(before).filter((name) => before[name]!.join() !== after[name]!.join());

describe.each(testedBackends())('a model of tf.layers as `variables`, on %s', (backend) => {
  beforeAll(async () => {
    await startTestedBackend(backend);
  });

  it('trains what is trainable at the time of each step; after unfreezing, weights move', async () => {
    await expectConstantMemory(async () => {
      const small = new Small();
      small.trunk.trainable = false;
      const start = small.values();
      await small.step();
      const frozen = small.values();
      expect(changed(start, frozen).filter((name) => name.startsWith('dense_Dense1'))).toEqual([]);
      expect(changed(start, frozen)).toContain('dense_Dense2/kernel');
      small.trunk.trainable = true;
      await small.step();
      expect(changed(frozen, small.values())).toContain('dense_Dense1/kernel');
      expect(small.trainer.state!.step).toBe(2);
      small.trunk.trainable = false;
      const before = small.values();
      await small.step();
      expect(changed(before, small.values())).not.toContain('dense_Dense1/kernel');
      small.dispose();
    });
  });

  it.each([
    ['a tf.Optimizer', (): tf.Optimizer => tf.train.adam(0.05)],
    ['momentum', (): tf.Optimizer => tf.train.momentum(0.05, 0.9)],
  ])(
    'does what `freeze` does, bit for bit, slots and memory included: %s',
    async (_, optimizer) => {
      await expectConstantMemory(async () => {
        const byFlag = new Small(remembering, optimizer);
        const byName = new Small(remembering, optimizer);
        const names = ['dense_Dense1/kernel', 'dense_Dense1/bias'];
        for (const frozen of [false, true, false]) {
          byFlag.trunk.trainable = !frozen;
          byName.trainer.freeze(frozen ? names : []);
          for (let step = 0; step < 2; step += 1) {
            await byFlag.step();
            await byName.step();
          }
        }
        expect(byFlag.values()).toEqual(byName.values());
        byFlag.dispose();
        byName.dispose();
      });
    },
  );

  it('keeps the memory of the strategy for variables that stay trained', async () => {
    const small = new Small(remembering);
    await small.step();
    const names = (): string[] =>
      small.trainer
        .memory!.tensors()
        .map(({ variable }) => variable)
        .sort();
    expect(names()).toContain('dense_Dense1/kernel');
    const kernel = small.trainer.memory!.get('dense_Dense2/kernel', 'near')!;
    const before = [...kernel.dataSync()];
    small.trunk.trainable = false;
    const snapshot = copySnapshot(small.trainer.snapshot());
    expect(names()).not.toContain('dense_Dense1/kernel');
    const kept = small.trainer.memory!.get('dense_Dense2/kernel', 'near')!;
    expect([...kept.dataSync()]).toEqual(before);
    const later = new Small(remembering);
    later.trunk.trainable = false;
    later.trainer.restore(snapshot);
    await small.step();
    await later.step();
    expect(later.values()).toEqual(small.values());
    tf.dispose([...snapshot.tensors.values()]);
    small.dispose();
    later.dispose();
  });

  it('makes snapshots, statistics included, that a model of other automatic names continues bit for bit', async () => {
    const small = new Small();
    small.norm.trainable = false;
    await small.step();
    const snapshot = copySnapshot(small.trainer.snapshot());
    expect([...snapshot.tensors.keys()]).toContain(
      'statistics/batch_normalization_BatchNormalization1/moving_mean',
    );
    const later = new Small();
    expect(later.model.layers[0]!.name).not.toBe(small.model.layers[0]!.name);
    expect(() => later.trainer.restore(snapshot)).toThrow(
      /no `batch_normalization_BatchNormalization1\/gamma`.*`trainable`/s,
    );
    later.norm.trainable = false;
    later.trainer.restore(snapshot);
    for (const one of [small, later]) {
      await one.step();
      one.norm.trainable = true;
      await one.step();
    }
    expect(later.values()).toEqual(small.values());
    tf.dispose([...snapshot.tensors.values()]);
    small.dispose();
    later.dispose();
  });

  it('puts statistics back where a step fails', async () => {
    await expectConstantMemory(async () => {
      const small = new Small(unitSum(), () => () => {
        throw new Error('no update');
      });
      const before = small.values();
      await expect(small.step()).rejects.toThrow('no update');
      expect(small.values()).toEqual(before);
      small.dispose();
    });
  });

  it('says so where all layers are frozen, and where layers are new', async () => {
    const small = new Small();
    await small.step();
    small.model.trainable = false;
    await expect(small.step()).rejects.toThrow(
      'At least one variable should be trained. Found all 6 frozen, from `dense_Dense1/kernel` on',
    );
    expect(small.trainer.snapshot().tensors.size).toBeGreaterThan(6);
    small.model.trainable = true;
    small.model.add(tfl.layers.dense({ units: 1, name: `added-${backend}` }));
    await expect(small.step()).rejects.toThrow(
      `Found a new weight \`added-${backend}/kernel\`: make a new trainer.`,
    );
    small.dispose();
  });

  it('names parts of the model by its layers', async () => {
    const small = new Small(unitSum(), undefined, {});
    const trainer = new MultiObjectiveTrainer({
      objectives: (x: tf.Tensor2D) => small.objectives(x),
      variables: { trunk: [small.trunk, small.norm], head: small.model.layers[2]! },
      parts: { trunk: [small.trunk, small.norm] },
      strategy: fixedWeights(),
      optimizer: tf.train.sgd(0.1),
    });
    const x = tf.ones<tf.Rank.R2>([2, 2]);
    await trainer.trainOnBatch(x);
    expect(trainer.state!.groups.map(({ key, variables }) => [key, variables])).toEqual([
      [
        'trunk/near+far',
        [
          'trunk/dense_Dense1/kernel',
          'trunk/dense_Dense1/bias',
          'trunk/batch_normalization_BatchNormalization1/gamma',
          'trunk/batch_normalization_BatchNormalization1/beta',
        ],
      ],
      ['near+far', ['head/dense_Dense1/kernel', 'head/dense_Dense1/bias']],
    ]);
    x.dispose();
    trainer.dispose();
    small.dispose();
  });

  it('is taken by integrateGradients, checkGradients and fused optimizers', async () => {
    const small = new Small();
    small.trunk.trainable = false;
    const x = tf.tensor2d([
      [1, 2],
      [3, -1],
      [0.5, 0.25],
    ]);
    const { gradients, state } = await integrateGradients(
      unitSum(),
      () => small.objectives(x),
      small.model,
    );
    expect(state.groups.flatMap(({ variables }) => variables)).toEqual([
      'batch_normalization_BatchNormalization1/gamma',
      'batch_normalization_BatchNormalization1/beta',
      'dense_Dense2/kernel',
      'dense_Dense2/bias',
    ]);
    const optimizer = fusedAdam(small.model);
    const before = small.values();
    optimizer.applyGradients(gradients);
    expect(changed(before, small.values())).toContain('dense_Dense2/kernel');
    const names = [...optimizer.snapshot().tensors.keys()];
    expect(names).toContain('mean/dense_Dense2/kernel');
    const checks = await checkGradients(() => small.objectives(x), small.model, { samples: 2 });
    expect(checks.map(({ variable }) => variable)).toContain('dense_Dense2/kernel');
    expect(checks.every(({ agrees }) => agrees)).toBe(true);
    await expect(
      checkGradients(() => small.objectives(x), small.model, { sample: 2 } as object),
    ).rejects.toThrow('`checkGradients` has no option `sample`. Did you mean `samples`?');
    tf.dispose([x, gradients]);
    optimizer.dispose();
    small.dispose();
  });
});
