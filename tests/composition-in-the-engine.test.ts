import '@tensorflow/tfjs-layers';
import { useBackend } from '@multigrad/backends';
import { normalizedGradients, perGroup, refreshedEvery } from '@multigrad/composition';
import { integrateGradients, type IntegrationState } from '@multigrad/core';
import type { GradientStrategy } from '@multigrad/core/strategy';
import { mgda } from '@multigrad/strategy-mgda';
import { sum } from '@multigrad/strategy-sum';
import { convolutionalNetwork, expectConstantMemory, variableOf } from '@multigrad/test-support';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';

// What wrappers promise of cost and of groups shows only on a network.

beforeAll(async () => {
  await useBackend('cpu');
});

describe('refreshedEvery', () => {
  it('makes one backward pass between refreshes, with the update that the reused weights mean', async () => {
    await expectConstantMemory(async () => {
      const { variables, losses, dispose } = convolutionalNetwork();
      const strategy = refreshedEvery(mgda(), { steps: 3 });
      let state: IntegrationState | undefined;
      const backwardPasses: number[] = [];
      const updates: number[][] = [];
      for (let step = 0; step < 5; step += 1) {
        // Nothing is applied: every step has the same gradients.
        const result = await integrateGradients(strategy, losses, variables, { state });
        state = JSON.parse(JSON.stringify(result.state)) as IntegrationState;
        backwardPasses.push(result.backwardPasses);
        expect(result.groups[0]!.note).toBe(step % 3 === 0 ? undefined : 'reused');
        updates.push(variables.flatMap(({ name }) => [...result.gradients[name]!.dataSync()]));
        tf.dispose(result.gradients);
      }
      expect(backwardPasses).toEqual([3, 1, 1, 3, 1]);
      const size = Math.hypot(...updates[0]!);
      for (const update of updates.slice(1)) {
        const apart = Math.hypot(...update.map((value, at) => value - updates[0]![at]!));
        expect(apart / size).toBeLessThan(1e-6);
      }
      dispose();
    });
  });
});

describe('perGroup', () => {
  async function groupsOf(
    strategy: GradientStrategy,
  ): Promise<Record<string, { note: string | undefined; update: number[] }>> {
    const [a, b] = [1, 2].map((value) => variableOf(() => tf.tensor1d([value, 0])));
    const near = tf.tensor1d([3, 4]);
    const far = tf.tensor1d([0, -10]);
    const result = await integrateGradients(
      strategy,
      () => {
        const both = tf.add(a!, b!);
        return { near: tf.sum(tf.mul(both, near)), far: tf.sum(tf.mul(both, far)) };
      },
      [a!, b!],
      { parts: { first: [a!], second: [b!] } },
    );
    const groups = Object.fromEntries(
      result.groups.map(({ key, note }, at) => [
        key,
        { note, update: [...result.gradients[[a!, b!][at]!.name]!.dataSync()] },
      ]),
    );
    tf.dispose([result.gradients, a!, b!, near, far]);
    return groups;
  }

  it('serves each part of a network by its own strategy', async () => {
    await expectConstantMemory(async () => {
      const groups = await groupsOf(
        perGroup({ 'first/*': normalizedGradients(sum()), default: sum() }),
      );
      expect(Object.keys(groups)).toEqual(['first/near+far', 'second/near+far']);
      expect(groups['first/near+far']!.note).toBe('normalized-sum');
      expect(groups['second/near+far']!.note).toBe('sum');
      [0.6, -0.2].forEach((value, at) => {
        expect(groups['first/near+far']!.update[at]).toBeCloseTo(value, 6);
      });
      expect(groups['second/near+far']!.update).toEqual([3, -6]);
    });
  });

  it('costs one backward pass where every group reuses weights or needs no gradients', async () => {
    await expectConstantMemory(async () => {
      const { variables, losses, dispose } = convolutionalNetwork();
      const { backwardPasses, gradients } = await integrateGradients(
        perGroup({ nothing: mgda(), default: sum() }),
        losses,
        variables,
      );
      expect(backwardPasses).toBe(1);
      tf.dispose(gradients);
      dispose();
    });
  });
});
