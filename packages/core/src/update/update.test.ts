import { expectConstantMemory, variableOf } from '@multigrad/test-support';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { describe, expect, it } from 'vitest';
import type { CombiningOptimizer } from '../optimizers/optimizer.ts';
import { solo } from '../ranks/solo.ts';
import { Update, type UpdateOptions } from './update.ts';

describe('an optimizer that combines by itself', () => {
  it.each([
    ['plain', {}],
    ['with limits on norms', { clip: { globalNorm: 10 } }],
    ['with limits on numbers', { clip: { value: 10 } }],
    ['with factors on rates', { rateFactors: { g: 1 } }],
    ['with decoupled decay', { decoupledWeightDecay: 0.25 }],
  ] as [string, Partial<UpdateOptions>][])('never gets sums: %s', async (_, options) => {
    await expectConstantMemory(async () => {
      const v = variableOf(() => tf.tensor1d([1, 2]));
      const calls: string[] = [];
      const optimizer: CombiningOptimizer & { learningRate: number } = {
        kind: 'mine',
        learningRate: 1,
        applyGradients: () => void calls.push('gradients'),
        applyCombinations: (combinations, weightDecay) => {
          const { rows, weights } = combinations.get(v.name)!;
          calls.push('combinations');
          tf.tidy(() => {
            const sum = rows
              .map((row, k) => tf.mul(row, weights[k]!))
              .reduce((a, b) => tf.add(a, b));
            v.assign(tf.sub(v, tf.add(sum, tf.mul(v, weightDecay))));
          });
        },
        snapshot: () => ({ values: null, tensors: new Map() }),
        restore: () => undefined,
      };
      const update = new Update(
        { optimizer, weightDecay: 0.5, ...options },
        new Map([['v', v]]),
        solo,
      );
      const rows = [tf.tensor1d([1, 0]), tf.tensor1d([0, 1])];
      const groups = [{ key: 'g', objectives: ['a', 'b'], variables: ['v'], feature: null }];
      await update.apply(new Map([['v', { rows, weights: [2, 3] }]]), 0, groups);
      expect(calls).toEqual(['combinations']);
      // w − (2, 3) − w / 2, and a quarter of w less where it decays by itself.
      const own = options.decoupledWeightDecay ?? 0;
      expect([...v.dataSync()]).toEqual([-1.5 - own, -2 - 2 * own]);
      update.dispose();
      tf.dispose([...rows, v]);
    });
  });
});
