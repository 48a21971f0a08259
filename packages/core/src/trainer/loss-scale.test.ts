import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers';
import { disposeOptimizer, expectConstantMemory, variableOf } from '@multigrad/test-support';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { fixedWeights, unitSum } from '../testing/strategies.ts';
import { LossScale } from './loss-scale.ts';
import { MultiObjectiveTrainer } from './multi-objective-trainer.ts';
import type { StepReport } from './step-report.ts';
import { copySnapshot } from './testing/copy-snapshot.ts';
import type { TrainerOptions } from './trainer-options.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe('a dynamic loss scale', () => {
  it('halves at an overflow, and doubles after so many good steps in a row', () => {
    const scale = new LossScale({ initial: 8, growEvery: 2 });
    const seen: number[] = [];
    for (const good of [true, true, true, false, true, true, false, false, false, false]) {
      if (good) scale.succeed();
      else expect(scale.overflow()).toBe(true);
      seen.push(scale.scale);
    }
    expect(seen).toEqual([8, 16, 16, 8, 8, 16, 8, 4, 2, 1]);
    expect(scale.overflow()).toBe(false);
    expect(scale.scale).toBe(1);
  });

  it('stays within what float32 holds', () => {
    const scale = new LossScale({ initial: 2 ** 32, growEvery: 1 });
    scale.succeed();
    expect(scale.scale).toBe(2 ** 32);
  });

  it('goes on from a snapshot', () => {
    const first = new LossScale({ initial: 8, growEvery: 2 });
    first.succeed();
    const second = new LossScale({ initial: 8, growEvery: 2 });
    second.restore(first.snapshot());
    second.succeed();
    expect(second.scale).toBe(16);
    second.restore(null);
    expect(second.scale).toBe(8);
  });

  it.each([
    [3, '`lossScale` should be a power of two'],
    [0.5, '`lossScale`'],
    [NaN, '`lossScale`'],
    [2 ** 33, '`lossScale`'],
    [{ initial: 0 }, '`lossScale.initial`'],
    [{ growEvery: 0 }, '`lossScale.growEvery`'],
  ])('refuses %j', (options, message) => {
    expect(() => new LossScale(options)).toThrow(message);
  });
});

/** Hands on the gradient as a format would whose largest number is `largest`. */
function narrow(value: tf.Tensor, largest: number): tf.Tensor {
  return tf.customGrad((x) => ({
    value: (x as tf.Tensor).clone(),
    gradFunc: (dy: tf.Tensor) =>
      tf.where(tf.greater(tf.abs(dy), largest), tf.fill(dy.shape, Infinity), dy),
  }))(value);
}

class Narrow {
  readonly v: tf.Variable = variableOf(() => tf.tensor1d([1, -2]));
  readonly optimizer: tf.Optimizer = tf.train.momentum(0.1, 0.9);
  readonly trainer: MultiObjectiveTrainer<null, 'a' | 'b'>;

  constructor(options: Partial<TrainerOptions<null, 'a' | 'b'>>, largest = 65504) {
    this.trainer = new MultiObjectiveTrainer<null, 'a' | 'b'>({
      objectives: () => {
        const v = narrow(this.v, largest);
        return { a: tf.sum(tf.square(v)), b: tf.sum(tf.square(tf.sub(v, 1))) };
      },
      variables: new Map([['v', this.v]]),
      strategy: unitSum(),
      optimizer: this.optimizer,
      ...options,
    });
  }

  async steps(count: number): Promise<StepReport[]> {
    const reports: StepReport[] = [];
    for (let step = 0; step < count; step += 1) {
      reports.push(await this.trainer.trainOnBatch(null));
    }
    return reports;
  }

  values(): number[] {
    return [...this.v.dataSync()];
  }

  dispose(): void {
    this.trainer.dispose();
    disposeOptimizer(this.optimizer);
    this.v.dispose();
  }
}

describe('steps whose scaled gradients overflow', () => {
  it.each([
    // 6 · 2^13 is less than 65504; so is 10 · 2^12 of the sum.
    ['a strategy that sees gradients', unitSum, 13],
    ['a strategy that sees none', fixedWeights, 12],
  ])('are left out until the scale fits: %s', async (_, strategy, fits) => {
    await expectConstantMemory(async () => {
      const scaled = new Narrow({ strategy: strategy(), lossScale: { initial: 2 ** 16 } });
      const plain = new Narrow({ strategy: strategy() });
      const reports = await scaled.steps(6);
      const scales = reports.map((_report, step) => 2 ** Math.max(16 - step, fits));
      expect(reports.map(({ lossScale }) => lossScale)).toEqual(scales);
      expect(reports.map(({ skipped }) => skipped === undefined)).toEqual(
        scales.map((scale) => scale === 2 ** fits),
      );
      expect(reports[0]!.skipped).toContain('multiplied by 65536, and will be by 32768.');
      expect(reports.map(({ step }) => step)).toEqual([0, 1, 2, 3, 4, 5]);
      await plain.steps(6 - (16 - fits));
      expect(scaled.values()).toEqual(plain.values());
      scaled.dispose();
      plain.dispose();
    });
  });

  it('are counted in the history', async () => {
    await expectConstantMemory(async () => {
      const scaled = new Narrow({ lossScale: { initial: 2 ** 14 } });
      const data = (): Iterable<null> => [null, null, null];
      const { history } = await scaled.trainer.fit(data, { epochs: 2 });
      expect(history['skipped']).toEqual([1, 0]);
      scaled.dispose();
    });
  });

  it('are errors where the scale is fixed, and where it is 1 already', async () => {
    await expectConstantMemory(async () => {
      const fixed = new Narrow({ lossScale: 2 ** 16 });
      await expect(fixed.steps(1)).rejects.toThrow('gradient that is not finite');
      const skipping = new Narrow({ lossScale: 2 ** 16, onNonFinite: 'skip' });
      expect((await skipping.steps(1))[0]!.skipped).toContain('not finite');
      const hopeless = new Narrow({ lossScale: { initial: 4 } }, 1);
      expect((await hopeless.steps(2)).every(({ skipped }) => skipped !== undefined)).toBe(true);
      await expect(hopeless.steps(1)).rejects.toThrow('gradient that is not finite');
      expect(hopeless.values()).toEqual([1, -2]);
      for (const one of [fixed, skipping, hopeless]) one.dispose();
    });
  });

  it('are no excuse for a loss that is not finite', async () => {
    await expectConstantMemory(async () => {
      const scaled = new Narrow({ lossScale: {} });
      tf.tidy(() => scaled.v.assign(tf.tensor1d([NaN, 1])));
      await expect(scaled.steps(1)).rejects.toThrow('The loss of objective `a` should be finite');
      scaled.dispose();
    });
  });

  it('leave a scale behind with which a snapshot goes on', async () => {
    await expectConstantMemory(async () => {
      const first = new Narrow({ lossScale: { initial: 2 ** 15, growEvery: 3 } });
      await first.steps(4);
      const snapshot = copySnapshot(first.trainer.snapshot());
      expect(snapshot.state.lossScale).toEqual({ scale: 2 ** 13, goodSteps: 2 });
      const second = new Narrow({ lossScale: { initial: 2 ** 15, growEvery: 3 } });
      second.trainer.restore(snapshot);
      const [ahead, later] = [await first.steps(4), await second.steps(4)];
      expect(later.map(({ lossScale }) => lossScale)).toEqual(
        ahead.map(({ lossScale }) => lossScale),
      );
      expect(second.values()).toEqual(first.values());
      // One without a scale begins with the first.
      const plain = new Narrow({});
      const third = new Narrow({ lossScale: 8 });
      const without = copySnapshot(plain.trainer.snapshot());
      expect(without.state.lossScale).toBeUndefined();
      third.trainer.restore(without);
      expect((await third.steps(1))[0]!.lossScale).toBe(8);
      for (const one of [first, second, third, plain]) one.dispose();
      tf.dispose([...snapshot.tensors.values(), ...without.tensors.values()]);
    });
  });
});
