import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers';
import {
  disposeOptimizer,
  expectConstantMemory,
  expectClose,
  variableOf,
} from '@multigrad/test-support';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { fixedWeights, unitSum } from '../testing/strategies.ts';
import type { GradientStrategy } from '../contract/strategy.ts';
import { cosineDecay, stepDecay, warmUp } from '../update/learning-rate.ts';
import { MultiObjectiveTrainer } from './multi-objective-trainer.ts';
import { copySnapshot } from './testing/copy-snapshot.ts';
import type { TrainerOptions } from './trainer-options.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

type Batch = { x: tf.Tensor1D };
type Options = Partial<TrainerOptions<Batch, 'a' | 'b'>>;

/** Gradients of mean(x): `a` on `u`, `a` and 2·`b` on `v`; the loss is linear. */
class Linear {
  readonly u: tf.Variable = variableOf(() => tf.tensor1d([1, 2]));
  readonly v: tf.Variable = variableOf(() => tf.scalar(3));
  readonly trainer: MultiObjectiveTrainer<Batch, 'a' | 'b'>;
  readonly optimizer: tf.Optimizer;

  constructor(options: Options = {}, optimizer: tf.Optimizer = tf.train.sgd(0.5)) {
    this.optimizer = optimizer;
    try {
      this.trainer = this.#make(options);
    } catch (error) {
      disposeOptimizer(optimizer);
      tf.dispose([this.u, this.v]);
      throw error;
    }
  }

  #make(options: Options): MultiObjectiveTrainer<Batch, 'a' | 'b'> {
    return new MultiObjectiveTrainer<Batch, 'a' | 'b'>({
      objectives: ({ x }) => ({
        a: tf.mul(tf.mean(x), tf.add(tf.sum(this.u), this.v)),
        b: tf.mul(tf.mean(x), tf.mul(this.v, 2)),
      }),
      variables: new Map([
        ['u', this.u],
        ['v', this.v],
      ]),
      strategy: fixedWeights({ a: 1, b: 1 }),
      optimizer: this.optimizer,
      ...options,
    });
  }

  async step(x: readonly number[] = [1]): Promise<void> {
    const batch = { x: tf.tensor1d([...x]) };
    try {
      await this.trainer.trainOnBatch(batch);
    } finally {
      batch.x.dispose();
    }
  }

  values(): number[] {
    return [...this.u.dataSync(), ...this.v.dataSync()];
  }

  dispose(): void {
    this.trainer.dispose();
    disposeOptimizer(this.optimizer);
    tf.dispose([this.u, this.v]);
  }
}

async function after(
  options: Options,
  body: (linear: Linear) => Promise<void> = (linear) => linear.step(),
  optimizer?: tf.Optimizer,
): Promise<number[]> {
  const linear = new Linear(options, optimizer);
  try {
    await body(linear);
    return linear.values();
  } finally {
    linear.dispose();
  }
}

describe('learning-rate schedules', () => {
  it('follow their formulas', () => {
    const step = stepDecay({ rate: 1, every: 3, factor: 0.5 });
    expect([0, 2, 3, 6].map(step)).toEqual([1, 1, 0.5, 0.25]);
    const cosine = cosineDecay({ rate: 1, steps: 4, end: 0.2 });
    expectClose([0, 1, 2, 4, 9].map(cosine), [1, 0.6 + 0.4 * Math.SQRT1_2, 0.6, 0.2, 0.2]);
    const warm = warmUp(4, 0.8);
    expectClose([0, 1, 3, 4].map(warm), [0.2, 0.4, 0.8, 0.8]);
    expectClose([0, 7].map(warmUp(4, step)), [0.25, 0.25]);
    expect(() => cosineDecay({ rate: 1, steps: 0 })).toThrow('`steps`');
    expect(() => cosineDecay({ rate: 1, steps: 2, end: 2 })).toThrow('in 0 … 1. Found 2.');
    expect(() => stepDecay({ rate: 0, every: 1, factor: 1 })).toThrow('`rate`');
  });

  it.each([
    ['sgd', () => tf.train.sgd(9)],
    ['momentum', () => tf.train.momentum(9, 0.9)],
    ['adam', () => tf.train.adam(9)],
    ['rmsprop', () => tf.train.rmsprop(9)],
  ])('set the rate of %s before each step', async (kind, make) => {
    await expectConstantMemory(async () => {
      const rates = [0.1, 0.2];
      const scheduled = await after(
        { learningRate: (step) => rates[step]! },
        async (linear) => {
          await linear.step();
          await linear.step();
        },
        make(),
      );
      const plain: Record<string, (rate: number) => tf.Optimizer> = {
        sgd: (rate) => tf.train.sgd(rate),
        momentum: (rate) => tf.train.momentum(rate, 0.9),
        adam: (rate) => tf.train.adam(rate),
        rmsprop: (rate) => tf.train.rmsprop(rate),
      };
      // The gradient is constant: changes are proportional to the rate of their step.
      const first = await after({}, (linear) => linear.step(), plain[kind]!(0.1));
      const both = await after(
        {},
        async (linear) => {
          await linear.step();
          await linear.step();
        },
        plain[kind]!(0.1),
      );
      expectClose(
        scheduled,
        both.map((value, index) => first[index]! + 2 * (value - first[index]!)),
      );
    });
  });

  it('refuse a rate that is none, and optimizers without one', async () => {
    await expectConstantMemory(async () => {
      await expect(after({ learningRate: () => NaN })).rejects.toThrow('Found NaN for step 0');
      const optimizer = (): void => undefined;
      await expect(after({ learningRate: 0.1, optimizer })).rejects.toThrow('`setLearningRate`');
    });
  });
});

describe('factors on the learning rate of groups', () => {
  it.each([
    ['sgd', () => tf.train.sgd(0.5)],
    ['adam', () => tf.train.adam(0.5)],
  ])('scale the changes of %s', async (_, make) => {
    await expectConstantMemory(async () => {
      const start = [1, 2, 3];
      const plain = await after({}, undefined, make());
      const scaled = await after({ rateFactors: { 'a+b': 0.25 } }, undefined, make());
      expectClose(scaled, [plain[0]!, plain[1]!, start[2]! + (plain[2]! - start[2]!) / 4]);
    });
  });

  it('must name groups', async () => {
    await expectConstantMemory(async () => {
      await expect(after({ rateFactors: { c: 1 } })).rejects.toThrow(
        'should name groups: a, a+b. Found `c`.',
      );
      await expect(after({ rateFactors: { a: -1 } })).rejects.toThrow('`rateFactors.a`');
    });
  });
});

describe('clipping', () => {
  // At x = 4: gradients 4, 4 on u, 12 on v.
  const clipped = async (clip: Options['clip']): Promise<number[]> => {
    const values = await after({ clip: clip! }, (linear) => linear.step([4]));
    return [1, 2, 3].map((start, index) => (start - values[index]!) / 0.5);
  };

  it('limits values, norms of groups, and the norm of all', async () => {
    await expectConstantMemory(async () => {
      expectClose(await clipped({}), [4, 4, 12]);
      expectClose(await clipped({ value: 5 }), [4, 4, 5]);
      expectClose(await clipped({ groupNorm: 6 }), [4, 4, 6]);
      expectClose(await clipped({ groupNorm: Math.SQRT2 }), [1, 1, Math.SQRT2]);
      const norm = Math.sqrt(176);
      expectClose(await clipped({ globalNorm: 1 }), [4 / norm, 4 / norm, 12 / norm]);
      expectClose(await clipped({ globalNorm: 100 }), [4, 4, 12]);
      expectClose(await clipped({ value: 3, globalNorm: Math.sqrt(27) / 2 }), [1.5, 1.5, 1.5]);
    });
  });

  it('leaves zero gradients and missing ones alone, and refuses limits that are none', async () => {
    await expectConstantMemory(async () => {
      expect(await after({ clip: { globalNorm: 1 } }, (linear) => linear.step([0]))).toEqual([
        1, 2, 3,
      ]);
      expect(() => new Linear({ clip: { value: 0 } })).toThrow('`clip.value`');
      expect(() => new Linear({ clip: { norm: 1 } as never })).toThrow(
        '`clip` has no option `norm`',
      );
    });
  });
});

describe('clipping before integration', () => {
  /** At x = 4: gradients 4, 4 on u and 4 on v of `a`, 8 on v of `b`. */
  const clipped = async (
    clipObjectives: NonNullable<Options['clipObjectives']>,
    options: Options = {},
  ): Promise<number[]> => {
    const values = await after({ clipObjectives, ...options }, (linear) => linear.step([4]));
    return [1, 2, 3].map((start, index) => (start - values[index]!) / 0.5);
  };

  it.each<[string, GradientStrategy]>([
    ['a strategy that sees gradients', { ...unitSum(), integrate: ones }],
    ['a strategy that sees none', fixedWeights({ a: 1, b: 1 })],
  ])('limits each objective by itself: %s', async (_, strategy) => {
    await expectConstantMemory(async () => {
      const options = { strategy };
      expectClose(await clipped({}, options), [4, 4, 12]);
      expectClose(await clipped({ value: 5 }, options), [4, 4, 9]);
      expectClose(await clipped({ value: 1 }, options), [1, 1, 2]);
      // `a` has norm √32 in its own group and 4 in the shared one.
      expectClose(await clipped({ groupNorm: 4 }, options), [
        Math.SQRT1_2 * 4,
        Math.SQRT1_2 * 4,
        8,
      ]);
      // `a` has norm √48 in all.
      const a = 4 / Math.sqrt(48);
      expectClose(await clipped({ globalNorm: 1 }, options), [a, a, a + 1]);
      expectClose(await clipped({ globalNorm: 1 }, { ...options, lossWeights: { b: 0.1 } }), [
        ...[a, a],
        a + 0.8,
      ]);
    });
  });

  it('shows the strategy what it clipped, and reports it', async () => {
    await expectConstantMemory(async () => {
      const linear = new Linear({ strategy: unitSum(), clipObjectives: { value: 2 } });
      const batch = { x: tf.tensor1d([4]) };
      const { groups, backwardPasses } = await linear.trainer.trainOnBatch(batch);
      expect(groups.find(({ key }) => key === 'a+b')!.norms).toEqual([2, 2]);
      expect(backwardPasses).toBe(2);
      linear.dispose();
      tf.dispose(batch);
    });
  });

  it('leaves out what has weight 0, as without it', async () => {
    const values = await after({
      strategy: fixedWeights({ a: 0, b: 1 }),
      clipObjectives: { value: 100 },
    });
    expect(values.slice(0, 2)).toEqual([1, 2]);
    expect(values[2]).toBeCloseTo(2, 5);
  });

  it('hides no gradient that is not finite', async () => {
    await expectConstantMemory(async () => {
      for (const clipObjectives of [{ value: 1 }, { groupNorm: 1 }, { globalNorm: 1 }]) {
        const infinite = after({ clipObjectives, lossWeights: { b: 1e38 } }, (linear) =>
          linear.step([1e3]),
        );
        await expect(infinite).rejects.toThrow('Objective `b` has a gradient that is not finite');
      }
    });
  });

  it('limits norms whose squares float32 cannot hold', async () => {
    await expectConstantMemory(async () => {
      const values = await after({ clip: { globalNorm: 1 } }, (linear) => linear.step([2 ** 70]));
      expectClose(
        values,
        [1, 2, 3].map((start, index) => start - (0.5 * [1, 1, 3][index]!) / Math.sqrt(11)),
      );
    });
  });

  it('accumulates first', async () => {
    await expectConstantMemory(async () => {
      const values = await after(
        { clipObjectives: { value: 3 }, accumulate: 2 },
        async (linear) => {
          const [one, other] = [{ x: tf.tensor1d([1]) }, { x: tf.tensor1d([7]) }];
          await linear.trainer.trainOnBatch(one, other);
          tf.dispose([one, other]);
        },
      );
      // Means of 4 and 8, not of what 1 and 7 are limited to.
      expectClose(values, [1 - 1.5, 2 - 1.5, 3 - 3]);
    });
  });

  it('refuses limits that are none', async () => {
    await expectConstantMemory(() => {
      expect(() => new Linear({ clipObjectives: { value: -1 } })).toThrow('`clipObjectives.value`');
    });
  });
});

/** Weight 1 for each. */
function ones({ objectives }: { readonly objectives: readonly string[] }): {
  weights: Float64Array;
  state: number;
} {
  return { weights: new Float64Array(objectives.length).fill(1), state: 0 };
}

describe('weight decay', () => {
  it('is coupled or decoupled', async () => {
    await expectConstantMemory(async () => {
      // v: the gradient is 3, the rate .5.
      const [, , coupled] = await after({ weightDecay: 0.1 });
      expect(coupled).toBeCloseTo(3 - 0.5 * (3 + 0.3), 5);
      const [, , decoupled] = await after({ decoupledWeightDecay: 0.1 });
      expect(decoupled).toBeCloseTo(3 - 0.5 * 3 - 0.5 * 0.1 * 3, 5);
      const adam = await after({ decoupledWeightDecay: 0.1 }, undefined, tf.train.adam(0.5));
      expect(adam[2]).toBeCloseTo(3 - 0.5 - 0.5 * 0.1 * 3, 4);
      const scheduled = await after({ decoupledWeightDecay: 0.1, learningRate: 0.2 });
      expect(scheduled[2]).toBeCloseTo(3 - 0.2 * 3 - 0.2 * 0.1 * 3, 5);
    });
  });
});

describe('the average of weights', () => {
  it('follows its formula, evaluates in their place, and goes on from a snapshot', async () => {
    await expectConstantMemory(async () => {
      const linear = new Linear({ average: { decay: 0.15 } });
      const data = { x: tf.tensor1d([1]) };
      await expect(linear.trainer.evaluate(data, { weights: 'average' })).rejects.toThrow(
        'no averages of weights',
      );
      const seen: number[] = [];
      for (let step = 0; step < 3; step += 1) {
        await linear.step();
        seen.push(linear.values()[2]!);
      }
      let average = seen[0]!;
      // min(decay, (1 + t) / (10 + t)) is .15 from t = 1 on: 2 / 11 is more.
      for (const value of seen.slice(1)) average = 0.15 * average + 0.85 * value;
      expect(linear.trainer.averages.get('v')!.dataSync()[0]).toBeCloseTo(average, 5);
      const { losses } = await linear.trainer.evaluate(data, { weights: 'average' });
      expect(losses.b).toBeCloseTo(2 * average, 5);
      expect(linear.values()[2]).toBe(seen[2]);
      const snapshot = copySnapshot(linear.trainer.snapshot());
      const later = new Linear({ average: { decay: 0.15 } });
      later.trainer.restore(snapshot);
      await linear.step();
      await later.step();
      expect(later.trainer.averages.get('v')!.dataSync()).toEqual(
        linear.trainer.averages.get('v')!.dataSync(),
      );
      const without = new Linear();
      expect(() => without.trainer.restore(snapshot)).toThrow('average `u` is not known here');
      for (const one of [linear, later, without]) one.dispose();
      tf.dispose([data, ...snapshot.tensors.values()]);
    });
  });
});

describe('freezing', () => {
  it('leaves variables as they are, keeps optimizer slots in place, and is part of snapshots', async () => {
    await expectConstantMemory(async () => {
      const linear = new Linear({}, tf.train.momentum(0.5, 0.9));
      await linear.step();
      const [u0, u1, v] = linear.values();
      linear.trainer.freeze(['u']);
      await linear.step();
      expect(linear.values().slice(0, 2)).toEqual([u0, u1]);
      // Momentum .9 · 3 + 3.
      expect(linear.values()[2]).toBeCloseTo(v! - 0.5 * 5.7, 5);
      expect(linear.trainer.state!.step).toBe(2);
      expect(linear.trainer.state!.groups.map(({ variables }) => variables)).toEqual([['v']]);
      const snapshot = copySnapshot(linear.trainer.snapshot());
      const later = new Linear({}, tf.train.momentum(0.5, 0.9));
      later.trainer.restore(snapshot);
      for (const one of [linear, later]) {
        await one.step();
        one.trainer.freeze([]);
        await one.step();
      }
      expect(later.values()).toEqual(linear.values());
      expect(later.values()[0]).not.toBe(u0);
      expect(() => later.trainer.freeze(['w'])).toThrow('Found `w`');
      for (const one of [linear, later]) one.dispose();
      tf.dispose([...snapshot.tensors.values()]);
    });
  });
});

describe('accumulation over several batches', () => {
  /** Weights that depend on the whole Gramian: the accumulated one must be that of the whole batch. */
  const nonlinear: GradientStrategy = {
    specification: 1,
    name: 'nonlinear',
    needs: { gradients: 'gramian', losses: 'now' },
    init: () => null,
    integrate: ({ gramian, losses }, state) => {
      const count = losses.length;
      const weights = losses.map(
        (loss, k) => loss / (1 + gramian.values[k * count + (count - 1)]!),
      );
      return { weights, state };
    },
  };
  type Pairs = { x: tf.Tensor2D; y: tf.Tensor2D };

  async function train(
    strategy: GradientStrategy,
    accumulate: number,
    batches: readonly number[],
    masked = false,
  ): Promise<{ weights: number[]; losses: unknown; metrics: unknown; norms: unknown }> {
    return expectConstantMemory(async () => {
      const kernel = variableOf(() => tf.tensor2d([0.5, -0.5, 0.25, 1], [2, 2]));
      const optimizer = tf.train.sgd(0.1);
      const trainer = new MultiObjectiveTrainer<Pairs, 'near' | 'far'>({
        objectives: ({ x, y }) => {
          const error = tf.sub(tf.tanh(tf.matMul(x, kernel as unknown as tf.Tensor2D)), y);
          return {
            near: { loss: tf.mean(tf.square(error)), metrics: { mae: tf.mean(tf.abs(error)) } },
            far: masked && x.shape[0] === 1 ? null : tf.mean(tf.square(tf.add(error, 2))),
          };
        },
        variables: [kernel],
        lossWeights: { far: 2 },
        strategy,
        optimizer,
        accumulate,
      });
      const x = tf.tensor2d([1, 0, 0, 1, 1, 1, 2, 1, 1, 3, -1, 2], [6, 2]);
      const y = tf.tensor2d([1, 2, 3, 4, 7, 1, 0, 2, 1, 1, 0, 3], [6, 2]);
      const parts: Pairs[] = [];
      let begin = 0;
      for (const size of batches) {
        parts.push({
          x: tf.slice(x, [begin, 0], [size, 2]),
          y: tf.slice(y, [begin, 0], [size, 2]),
        });
        begin += size;
      }
      const [first, ...further] = parts;
      const { losses, metrics, groups } = await trainer.trainOnBatch(first!, ...further);
      const weights = [...kernel.dataSync()];
      trainer.dispose();
      optimizer.dispose();
      tf.dispose([kernel, x, y, parts]);
      return { weights, losses, metrics, norms: groups[0]!.norms };
    });
  }

  it.each([
    ['a strategy that sees the Gramian and losses', nonlinear],
    ['a fixed sum', unitSum()],
    ['fixed weights of gradients', fixedWeights({ near: 1, far: 3 })],
  ])('equals one large batch: %s', async (_, strategy) => {
    const whole = await train(strategy, 1, [6]);
    for (const parts of [
      [3, 3],
      [2, 2, 2],
      [1, 4, 1],
    ]) {
      const accumulated = await train(strategy, parts.length, parts);
      expectClose(accumulated.weights, whole.weights);
      for (const key of ['losses', 'metrics', 'norms'] as const) {
        expect(JSON.stringify(round(accumulated[key]))).toBe(JSON.stringify(round(whole[key])));
      }
    }
  });

  it('averages an objective over the batches in which it is present', async () => {
    const { losses } = await train(unitSum(), 2, [5, 1], true);
    const { losses: alone } = await train(unitSum(), 1, [5], true);
    expect((losses as { far: number }).far).toBeCloseTo((alone as { far: number }).far, 5);
  });

  it('asks for its number of batches', async () => {
    await expectConstantMemory(async () => {
      await expect(after({ accumulate: 2 })).rejects.toThrow('should get 2 batches');
      expect(() => new Linear({ accumulate: 0 })).toThrow('`accumulate`');
    });
  });

  it('takes as many batches of an epoch to a step', async () => {
    await expectConstantMemory(async () => {
      const linear = new Linear({ accumulate: 2 });
      const data = { x: tf.tensor1d([1, 2, 3, 4, 5]) };
      await linear.trainer.fit(data, { epochs: 1, batchSize: 1 });
      expect(linear.trainer.state!.step).toBe(2);
      // Means of 1, 2 and of 3, 4; the fifth is left over.
      expect(linear.values()[0]).toBeCloseTo(1 - 0.5 * (1.5 + 3.5), 5);
      linear.dispose();
      tf.dispose(data);
    });
  });
});

function round(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_, one: unknown) =>
      typeof one === 'number' ? Number(one.toPrecision(5)) : one,
    ),
  );
}
