import '@tensorflow/tfjs-layers';
import { useBackend } from '@multigrad/backends';
import { integrateGradients } from '@multigrad/core';
import { dualproj } from '@multigrad/strategy-dualproj';
import { mgda } from '@multigrad/strategy-mgda';
import { mmpareto } from '@multigrad/strategy-mmpareto';
import { pcgrad } from '@multigrad/strategy-pcgrad';
import { sum } from '@multigrad/strategy-sum';
import { upgrad } from '@multigrad/strategy-upgrad';
import {
  convolutionalNetwork,
  expectConstantMemory,
  testedBackends,
  variableOf,
} from '@multigrad/test-support';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';

// What strategies decide from clean matrices must hold for gradients in float32, as they come out of a network.

describe.each(testedBackends())('strategies on gradients from %s', (backend) => {
  beforeAll(async () => {
    await useBackend(backend);
  });

  /** Two linear objectives with the given gradients. */
  async function integrate(
    strategy: Parameters<typeof integrateGradients>[0],
    a: number[],
    b: number[],
  ) {
    const v = variableOf(() => tf.zeros([a.length]));
    const result = await integrateGradients(
      strategy,
      () => ({ a: tf.sum(tf.mul(v, tf.tensor1d(a))), b: tf.sum(tf.mul(v, tf.tensor1d(b))) }),
      [v],
    );
    const update = [...result.gradients[v.name]!.dataSync()];
    tf.dispose([result.gradients, v]);
    return { update, report: result.groups[0]! };
  }

  it('know opposite gradients for stationary, with rounding in them', async () => {
    await expectConstantMemory(async () => {
      const a = Array.from({ length: 500 }, (_, i) => Math.sin(i) * 3);
      const opposite = a.map((value) => value * -0.7 * (1 + 3e-8));
      for (const strategy of [mmpareto(), mgda(), upgrad(), dualproj()]) {
        const { update, report } = await integrate(strategy, a, opposite);
        expect(report.note).toBe('stationary');
        expect(Math.max(...update.map(Math.abs))).toBe(0);
      }
    });
  });

  it('never ascend by MMPareto, however near to opposite or far apart in size the gradients are', async () => {
    await expectConstantMemory(async () => {
      for (const angle of [2, 3, 3.1, 3.14, 3.1415, 3.14159, 3.1415926]) {
        for (const scale of [1e-15, 1e-4, 1, 1e15]) {
          const a = [scale, 0];
          const b = [Math.cos(angle), Math.sin(angle)];
          const { update, report } = await integrate(mmpareto(), a, b);
          const length = Math.hypot(...update);
          if (length === 0) expect(report.note).toBe('stationary');
          for (const g of [a, b]) {
            const inner =
              (g[0]! * update[0]! + g[1]! * update[1]!) / (Math.hypot(...g) * length || 1);
            expect(inner).toBeGreaterThanOrEqual(-5e-4);
          }
        }
      }
    });
  });

  it("keep MMPareto's promise on a network: length gamma |sum| in conflict or not", async () => {
    await expectConstantMemory(async () => {
      const { variables, losses, dispose } = convolutionalNetwork();
      const length = (gradients: tf.NamedTensorMap): number =>
        Math.hypot(...variables.flatMap(({ name }) => [...gradients[name]!.dataSync()]));
      const plain = await integrateGradients(sum(), losses, variables);
      const own = await integrateGradients(mmpareto({ gamma: 1.5 }), losses, variables);
      expect(own.groups[0]?.note === 'stationary').toBe(false);
      expect(length(own.gradients) / length(plain.gradients)).toBeCloseTo(1.5, 4);
      tf.dispose([plain.gradients, own.gradients]);
      dispose();
    });
  });

  it('give the same numbers for the same seed', async () => {
    await expectConstantMemory(async () => {
      const { variables, losses, dispose } = convolutionalNetwork();
      const runs = [];
      for (const seed of [1, 1]) {
        const { gradients, groups } = await integrateGradients(pcgrad({ seed }), losses, variables);
        runs.push([
          groups[0]!.weights,
          ...variables.map(({ name }) => [...gradients[name]!.dataSync()]),
        ]);
        tf.dispose(gradients);
      }
      expect(runs[1]).toEqual(runs[0]);
      dispose();
    });
  });
});
