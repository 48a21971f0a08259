import { seededUniform, uniformKey } from '@multigrad/core/kernels';
import { expectConstantMemory, startTestedBackend, testedBackends } from '@multigrad/test-support';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { Branch } from './branch.ts';

const config = { name: 'a/branch', seed: 5, warmup: 2, temperature: 1.5, decay: 10 };
const logits = [0.2, -0.1, 0.4];

/** The layer with those logits on three vectors, each the number of its stream in every place. */
async function withBranch(body: (layer: Branch, streams: tf.Tensor[]) => void): Promise<void> {
  await expectConstantMemory(() => {
    const layer = new Branch(config);
    const streams = [1, 2, 3].map((value) => tf.fill([2, 4], value));
    tf.dispose(layer.apply(streams, { training: false }) as tf.Tensor);
    const [variable] = layer.trainableWeights;
    tf.tidy(() => {
      (variable!.read() as unknown as tf.Variable).assign(tf.tensor1d(logits));
      body(layer, streams);
    });
    tf.dispose(streams);
    variable!.dispose();
  });
}

/** The softmax of logits and noise of a step, in float64. */
function softAt(step: number): number[] {
  const key = uniformKey(config.seed, step, config.name);
  const tau = config.temperature / Math.sqrt(1 + step / config.decay);
  const powers = logits.map((logit, j) => {
    const noise = -Math.log(-Math.log(seededUniform(key, j) + 2 ** -25));
    return Math.exp((logit + noise) / tau);
  });
  const total = powers.reduce((a, b) => a + b);
  return powers.map((power) => power / total);
}

describe.each(testedBackends())('a branch on %s', (backend) => {
  beforeAll(async () => {
    await startTestedBackend(backend);
  });

  it('takes one stream: in training by its noise, in inference the most probable', async () => {
    await withBranch((layer, streams) => {
      const taken = (mode: Record<string, unknown>) =>
        (layer.apply(streams, mode) as tf.Tensor).dataSync()[0];
      expect(taken({ training: false })).toBe(3);
      // The warm-up adds all of them up.
      expect(taken({ training: true, step: 1 })).toBe(6);
      const steps = Array.from({ length: 40 }, (_, at) => at + 2);
      const expected = steps.map((step) => {
        const soft = softAt(step);
        return 1 + soft.indexOf(Math.max(...soft));
      });
      expect(steps.map((step) => taken({ training: true, step }))).toEqual(expected);
      expect(new Set(expected).size).toBe(3);
    });
  });

  it('has the gradient of the softmax', async () => {
    await withBranch((layer, streams) => {
      const step = 7;
      const variable = layer.trainableWeights[0]!.read() as unknown as tf.Variable;
      const loss = () =>
        tf.sum(layer.apply(streams, { training: true, step }) as tf.Tensor) as tf.Scalar;
      const { grads } = tf.variableGrads(loss, [variable]);
      const found = Object.values(grads)[0]!.dataSync();
      const soft = softAt(step);
      const tau = config.temperature / Math.sqrt(1 + step / config.decay);
      // A stream's part of the loss is 8 times its number.
      const mean = soft.reduce((sum, value, j) => sum + value * 8 * (j + 1), 0);
      soft.forEach((value, j) => {
        expect(found[j]).toBeCloseTo((value * (8 * (j + 1) - mean)) / tau, 4);
      });
    });
  });

  it('says that it needs the step', async () => {
    await withBranch((layer, streams) => {
      expect(() => layer.apply(streams, { training: true })).toThrow('pass `step`');
    });
  });
});
