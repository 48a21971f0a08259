import { expectConstantMemory } from '@multigrad/test-support';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, expectTypeOf, it } from 'vitest';
import { digitEncoder } from './digit-encoder.ts';
import { multimodalNetwork } from './make-multimodal-network.ts';
import type { MultimodalNetwork } from './multimodal-network.ts';
import { softmaxCrossEntropy } from './softmax-cross-entropy.ts';

const side = 8;

function encoder(name: string, channels: number): tfl.LayersModel {
  const size = { width: 2, features: 4, inputHeight: side, inputWidth: side };
  return digitEncoder({ name, channels, seed: 3, ...size });
}

function network(seed = 1): MultimodalNetwork<'gray' | 'color', 'multimodal'> {
  const encoders = { gray: encoder('gray', 1), color: encoder('color', 3) };
  return multimodalNetwork({ encoders, classes: 3, seed });
}

function makeBatch(count = 5): { gray: tf.Tensor; color: tf.Tensor; label: tf.Tensor1D } {
  const labels = Int32Array.from({ length: count }, (_, i) => i % 3);
  return {
    gray: tf.randomUniform([count, side, side, 1], 0, 1, 'float32', 21),
    color: tf.randomUniform([count, side, side, 3], 0, 1, 'float32', 22),
    label: tf.tensor1d(labels, 'int32'),
  };
}

/** Runs `body` with a network and a batch that are freed afterwards; nothing else may stay. */
function withNetwork(
  body: (net: ReturnType<typeof network>, batch: ReturnType<typeof makeBatch>) => unknown,
): Promise<void> {
  return expectConstantMemory(async () => {
    const [net, batch] = [network(), makeBatch()];
    try {
      await expectConstantMemory(() => body(net, batch));
    } finally {
      tf.dispose(batch);
      net.dispose();
    }
  });
}

const modes = [{ training: true }, { training: false }];

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe('multimodalNetwork', () => {
  it('names its objectives: the joint one and the modalities', async () => {
    await withNetwork((net, batch) => {
      expect(net.objectives).toEqual(['multimodal', 'gray', 'color']);
      expect(net.modalities).toEqual(['gray', 'color']);
      expect(net.classes).toBe(3);
      const losses = net.losses(batch, batch.label);
      expect(Object.keys(losses)).toEqual(['multimodal', 'gray', 'color']);
      expectTypeOf(losses).toEqualTypeOf<Record<'multimodal' | 'gray' | 'color', tf.Scalar>>();
      // Near log 3: the untrained network knows nothing.
      for (const loss of Object.values(losses)) expect(loss.dataSync()[0]).toBeCloseTo(Math.log(3), 0);
      tf.dispose(losses);
    });
  });

  it.each(modes)('is encoders, fusion and heads put together ($training)', async (mode) => {
    await withNetwork((net, batch) => {
      tf.tidy(() => {
        const apply = (part: tfl.LayersModel, x: tf.Tensor | tf.Tensor[]) =>
          part.apply(x, mode) as tf.Tensor2D;
        const before = [...net.namedVariables.values()].map((weight) => weight.clone());
        const z = { gray: apply(net.encoders.gray, batch.gray), color: apply(net.encoders.color, batch.color) };
        const expected = {
          multimodal: apply(net.heads.multimodal, tf.concat([z.gray, z.color], 1)),
          gray: apply(net.heads.gray, z.gray),
          color: apply(net.heads.color, z.color),
        };
        [...net.namedVariables.values()].forEach((weight, i) => weight.assign(before[i]!));
        const logits = net.forward(batch, mode);
        const losses = net.losses(batch, batch.label, mode);
        const features = net.features(batch, mode);
        const both = net.evaluate(batch, batch.label, mode);
        for (const objective of net.objectives) {
          expect(logits[objective].shape).toEqual([5, 3]);
          const values = expected[objective].dataSync();
          expect(logits[objective].dataSync()).toEqual(values);
          const loss = softmaxCrossEntropy(expected[objective], batch.label).dataSync();
          expect(losses[objective].dataSync()).toEqual(loss);
          expect(both[objective].loss.dataSync()).toEqual(loss);
        }
        for (const modality of net.modalities) {
          expect(features[modality].dataSync()).toEqual(z[modality].dataSync());
        }
        expect(Object.keys(net.logits(features, mode))).toEqual(net.objectives);
      });
    });
  });

  it('hands over tensors that outlive the call, and nothing else', async () => {
    await withNetwork((net, batch) => {
      const start = tf.memory().numTensors;
      const made = [
        net.features(batch, { training: true }),
        net.forward(batch, { training: true }),
        net.losses(batch, batch.label),
        net.metrics(batch, batch.label),
      ];
      expect(tf.memory().numTensors - start).toBe(2 + 3 + 3 + 3);
      const evaluated = net.evaluate(batch, batch.label, { training: false });
      expect(tf.memory().numTensors - start).toBe(11 + 6);
      tf.dispose([made, evaluated]);
    });
  });

  it('measures accuracy without training', async () => {
    await withNetwork((net, batch) => {
      const moving = net.namedVariables.get('gray/norm/moving_mean')!;
      const before = moving.dataSync()[0];
      const [metrics, logits] = [
        net.metrics(batch, batch.label),
        net.forward(batch, { training: false }),
      ];
      expect(moving.dataSync()[0]).toBe(before);
      for (const objective of net.objectives) {
        const rows = logits[objective].arraySync();
        const hits = rows.filter((row, i) => row.indexOf(Math.max(...row)) === i % 3).length;
        expect(metrics[objective].dataSync()[0]).toBeCloseTo(hits / 5, 6);
      }
      tf.dispose([metrics, logits]);
    });
  });

  it('moves batch statistics once a training pass, for all objectives together', async () => {
    await withNetwork((net, batch) => {
      const moving = net.namedVariables.get('gray/norm/moving_mean')!;
      tf.dispose(net.losses(batch, batch.label));
      const mean = tf.tidy(() => tf.mean(batch.gray).dataSync()[0]!);
      expect(moving.dataSync()[0]).toBeCloseTo(0.1 * mean, 6);
    });
  });

  it('lets the joint objective reach everything but the other heads, and each modality its own part', async () => {
    await withNetwork((net, batch) => {
      const reached = (objective: 'multimodal' | 'gray' | 'color') =>
        tf.tidy(() => {
          const gradient = tf.grads((...variables: tf.Tensor[]) => {
            // tf.grads wants its function to use its arguments; the network's variables are those very tensors.
            expect(variables).toHaveLength(net.trainableVariables.length);
            return net.losses(batch, batch.label)[objective];
          });
          const names = [...net.namedVariables].filter(([, v]) => net.trainableVariables.includes(v));
          const used = names.filter(([name]) => {
            const part = name.split('/')[0]!;
            return part === 'head'
              ? name.startsWith(`head/${objective}/`)
              : objective === 'multimodal' || part === objective;
          });
          expect(gradient).toBeTypeOf('function');
          const { grads } = tf.variableGrads(
            () => net.losses(batch, batch.label)[objective],
            used.map(([, variable]) => variable),
          );
          return Object.values(grads).map((g) => g.abs === undefined ? g : g).length;
        });
      // Norm 2, four convolutions 8, dense 2 for each encoder; a head has 2.
      expect(reached('multimodal')).toBe(12 + 12 + 2);
      expect(reached('gray')).toBe(12 + 2);
      expect(reached('color')).toBe(12 + 2);
    });
  });
});
