import '@tensorflow/tfjs-layers';
import { useBackend } from '@multigrad/backends';
import { integrateGradients } from '@multigrad/core';
import {
  convolutionalNetwork,
  expectConstantMemory,
  multilayerPerceptron,
  normalisedNetwork,
  only,
  testedBackends,
} from '@multigrad/test-support';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';

// The gradients that strategies combine are, to the last bit, those that TensorFlow.js computes one loss at a time.

const names = ['a', 'b', 'c'] as const;

describe.each(testedBackends())('K objectives from one forward pass on %s', (backend) => {
  beforeAll(async () => {
    await useBackend(backend);
  });

  it.each([
    ['a multilayer perceptron', multilayerPerceptron],
    ['a convolutional network', convolutionalNetwork],
    ['a network with batch norm and dropout (same masks)', normalisedNetwork],
  ])('equal K separate tf.variableGrads exactly on %s', async (_, make) => {
    await expectConstantMemory(async () => {
      const { variables, losses, dispose } = make();
      for (const name of names) {
        const { gradients } = await integrateGradients(only(name), losses, variables);
        const expected = tf.variableGrads(() => losses()[name], [...variables]);
        let largest = 0;
        for (const variable of variables) {
          const found = gradients[variable.name]!.dataSync();
          const reference = expected.grads[variable.name]!.dataSync();
          expect(found).toEqual(reference);
          reference.forEach((value) => (largest = Math.max(largest, Math.abs(value))));
        }
        // Equal zeros would prove nothing.
        expect(largest).toBeGreaterThan(1e-4);
        tf.dispose([gradients, expected.grads, expected.value]);
      }
      dispose();
    });
  });

  it('measure Gramians that agree with inner products in float64', async () => {
    await expectConstantMemory(async () => {
      const { variables, losses, dispose } = convolutionalNetwork();
      const result = await integrateGradients(only('a'), losses, variables);
      const rows = names.map((name) => {
        const { value, grads } = tf.variableGrads(() => losses()[name], [...variables]);
        const row = variables.flatMap((variable) => [...grads[variable.name]!.dataSync()]);
        tf.dispose([value, grads]);
        return row;
      });
      const [group] = result.groups;
      rows.forEach((a, i) => {
        expect(group!.norms![i]! / Math.hypot(...a)).toBeCloseTo(1, 10);
        rows.forEach((b, j) => {
          const inner = a.reduce((sum, value, index) => sum + value * b[index]!, 0);
          expect(group!.cosines![i]![j]).toBeCloseTo(
            inner / Math.hypot(...a) / Math.hypot(...b),
            10,
          );
        });
      });
      tf.dispose(result.gradients);
      dispose();
    });
  });
});
