import '@tensorflow/tfjs-layers';
import { useBackend } from '@multigrad/backends';
import { refreshedEvery } from '@multigrad/composition';
import {
  fusedMomentum,
  integrateGradients,
  MultiObjectiveTrainer,
  type TrainerOptions,
  withFeatures,
} from '@multigrad/core';
import type { GradientStrategy } from '@multigrad/core/strategy';
import { gls } from '@multigrad/scalarization';
import { mgda } from '@multigrad/strategy-mgda';
import { mmpareto } from '@multigrad/strategy-mmpareto';
import { moco } from '@multigrad/strategy-moco';
import { modo } from '@multigrad/strategy-modo';
import { pcgrad } from '@multigrad/strategy-pcgrad';
import { sum } from '@multigrad/strategy-sum';
import { trimmedMean } from '@multigrad/strategy-trimmed-mean';
import {
  expectConstantMemory,
  multilayerPerceptron,
  registerHalfBackend,
  toHalf,
  variableOf,
} from '@multigrad/test-support';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';

describe('a scale of the losses', () => {
  beforeAll(async () => {
    await useBackend('cpu');
  });

  type Name = 'a' | 'b' | 'c';
  type Options = Partial<TrainerOptions<null, Name>>;

  /** Weights and reported norms after three steps. */
  async function train(strategy: GradientStrategy, options: Options = {}, batches = 1) {
    return expectConstantMemory(async () => {
      const { variables, losses, dispose } = multilayerPerceptron();
      const optimizer = fusedMomentum(variables, { learningRate: 0.05, momentum: 0.9 });
      const trainer = new MultiObjectiveTrainer<null, Name>({
        objectives: losses,
        variables,
        strategy,
        optimizer,
        lossWeights: { b: 0.3 },
        ...options,
      });
      const norms: unknown[] = [];
      for (let step = 0; step < 3; step += 1) {
        const further = Array.from({ length: batches - 1 }, () => null);
        const { groups } = await trainer.trainOnBatch(null, ...further);
        // Keys hold names that TensorFlow.js counts up.
        norms.push(groups.map((group) => [group.norms, group.cosines, group.weights]));
      }
      const weights = variables.map((variable) => [...variable.dataSync()]);
      trainer.dispose();
      optimizer.dispose();
      dispose();
      return { weights, norms };
    });
  }

  it.each<[string, () => GradientStrategy, Options?, number?]>([
    ['a Gramian', () => pcgrad({ seed: 1 })],
    ['a Gramian per tensor', () => mmpareto({ rescale: 'tensor' })],
    ['coordinates', () => trimmedMean()],
    ['memory', () => moco()],
    ['independent batches', () => modo(), {}, 3],
    ['losses alone', () => gls()],
    ['nothing, observed', () => sum(), { observe: { every: 1 } }],
    ['reused weights', () => refreshedEvery(mgda(), { steps: 2 })],
    ['accumulated gradients', () => mgda(), { accumulate: 2 }, 2],
    ['gradients that are added up first', () => mgda(), { clip: { globalNorm: 1e6 } }],
    ['clipped gradients', () => mgda(), { clipObjectives: { groupNorm: 0.1, value: 0.05 } }],
  ])('changes no bit of training by %s', async (_, strategy, options, batches) => {
    const plain = await train(strategy(), options, batches);
    const scaled = await train(strategy(), { ...options, lossScale: 2 ** 12 }, batches);
    expect(scaled).toEqual(plain);
    const dynamic = await train(strategy(), { ...options, lossScale: { growEvery: 1 } }, batches);
    expect(dynamic).toEqual(plain);
  });

  it('changes no bit at the level of features', async () => {
    await expectConstantMemory(async () => {
      const v = variableOf(() => tf.tensor1d([0.3, -0.7]));
      const run = async (lossScale: number) => {
        const { gradients, groups } = await integrateGradients(
          mgda(),
          () => {
            const feature = tf.tanh(v);
            return withFeatures(
              { near: tf.sum(tf.square(feature)), far: tf.sum(tf.exp(feature)) },
              { trunk: feature },
            );
          },
          [v],
          { level: 'features', lossScale },
        );
        const update = [...gradients[v.name]!.dataSync()];
        tf.dispose(gradients);
        return { update, groups };
      };
      expect(await run(2 ** 15)).toEqual(await run(1));
      v.dispose();
    });
  });
});

describe('float16', () => {
  it('rounds as its standard says', () => {
    expect([1, 1 + 2 ** -11, 1 + 3 * 2 ** -11, 65504, 65519, 65520, -7e4].map(toHalf)).toEqual([
      1,
      1,
      1 + 2 ** -9,
      65504,
      65504,
      Infinity,
      -Infinity,
    ]);
    expect([2 ** -24, 2 ** -25, 1.01 * 2 ** -25, -(2 ** -14)].map(toHalf)).toEqual([
      2 ** -24,
      0,
      2 ** -24,
      -(2 ** -14),
    ]);
    expect(toHalf(NaN)).toBeNaN();
  });
});

describe('training on a backend of half precision', () => {
  beforeAll(async () => {
    registerHalfBackend();
    await tf.setBackend('half');
  });

  const positions = 8192;

  /**
   * Fits one number to a task whose errors are of ordinary size, and another to one whose errors are small: the gradient at one of
   * its many positions is below float16, their sum is not.
   */
  async function train(options: Partial<TrainerOptions<null, 'large' | 'small'>>, steps = 12) {
    return expectConstantMemory(async () => {
      const both = variableOf(() => tf.tensor1d([2, 2 ** -14]));
      const x = tf.ones([positions]);
      const mean = (values: tf.Tensor): tf.Tensor => tf.mul(tf.sum(values), 1 / positions);
      const optimizer = tf.train.sgd(0.25);
      const seen: {
        norms: readonly number[] | null;
        skipped: boolean;
        scale: number | undefined;
      }[] = [];
      const trainer = new MultiObjectiveTrainer<null, 'large' | 'small'>({
        objectives: () => ({
          large: mean(tf.square(tf.mul(x, tf.slice(both, 0, 1)))),
          small: mean(tf.square(tf.mul(x, tf.slice(both, 1, 1)))),
        }),
        variables: [both],
        strategy: pcgrad({ seed: 1 }),
        optimizer,
        ...options,
      });
      for (let step = 0; step < steps; step += 1) {
        const { groups, skipped, lossScale } = await trainer.trainOnBatch(null);
        seen.push({
          norms: groups[0]?.norms ?? null,
          skipped: skipped !== undefined,
          scale: lossScale,
        });
      }
      const [w, v] = both.dataSync() as unknown as [number, number];
      trainer.dispose();
      optimizer.dispose();
      tf.dispose([both, x]);
      return { w, v, seen };
    });
  }

  it('sees no gradient of small errors without a scale, and does with one', async () => {
    // 2 · 2^-14 / 8192 at each position is less than float16 holds.
    const without = await train({});
    expect(without.v).toBe(2 ** -14);
    expect(without.seen[0]!.norms![1]).toBe(0);
    const scaled = await train({ lossScale: 2 ** 12 });
    expect(scaled.seen[0]!.norms![1]).toBe(2 ** -13);
    // Each step halves it.
    expect(Math.abs(scaled.v)).toBeLessThanOrEqual(2 ** -22);
    expect(scaled.w).toBeCloseTo(without.w, 3);
  });

  it('finds the scale by itself, leaving out the steps that overflow', async () => {
    const { seen, v, w } = await train({ lossScale: { initial: 2 ** 20, growEvery: 4 } }, 20);
    // 2^16 is infinite already as the place where backward passes start; 4 w · 2^14 then overflows until w is small enough.
    expect(seen.map(({ skipped }) => skipped).indexOf(false)).toBeGreaterThanOrEqual(5);
    const first = seen.find(({ skipped }) => !skipped)!;
    expect(first.scale).toBeLessThanOrEqual(2 ** 15);
    expect(first.norms![1]).toBe(2 ** -13);
    // It grows again after four good steps.
    expect(Math.max(...seen.slice(-6).map(({ scale }) => scale!))).toBeGreaterThan(first.scale!);
    expect(Math.abs(v)).toBeLessThan(2 ** -18);
    expect(w).toBeLessThan(2);
  });
});
