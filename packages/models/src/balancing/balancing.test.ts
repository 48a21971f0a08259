import { MultiObjectiveTrainer } from '@multigrad/core';
import type { Json } from '@multigrad/core/strategy';
import {
  expectConstantMemory,
  only,
  startTestBackend,
  testedBackends,
} from '@multigrad/test-support';
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { multilayerPerceptron } from '../encoders/multilayer-perceptron.ts';
import type { Fusion } from '../fusions/fusion.ts';
import { multimodalNetwork } from '../networks/make-multimodal-network.ts';
import { gBlending } from './g-blending.ts';
import { ogmGe } from './ogm-ge.ts';

const seed = 5;

function network(fusion: Fusion = 'concatenation') {
  const encoder = (name: string, features: number) =>
    multilayerPerceptron({ name, shape: [3], hidden: [4], features, seed });
  const encoders = { a: encoder('a', 3), b: encoder('b', 2), c: encoder('c', 2) };
  return multimodalNetwork({ encoders, fusion, classes: 3, seed });
}

const batch = () => ({
  a: tf.randomNormal([4, 3], 0, 1, 'float32', 1),
  b: tf.randomNormal([4, 3], 0, 1, 'float32', 2),
  c: tf.randomNormal([4, 3], 0, 1, 'float32', 3),
  label: tf.tensor1d([0, 1, 2, -1], 'int32'),
});

const training = { training: true, step: 0 };

/** The gradients that an optimizer is given, by the network's own names. */
async function handedOn(
  net: ReturnType<typeof network>,
  modulation: ReturnType<typeof ogmGe<'a' | 'b' | 'c', 'multimodal'>>,
): Promise<Record<string, number[]>> {
  const given = batch();
  const received: Record<string, number[]> = {};
  const optimizer = {
    applyGradients: (gradients: tf.NamedTensorMap) => {
      for (const [own, { name }] of net.namedVariables)
        received[own] = [...gradients[name]!.dataSync()];
    },
  };
  const { grads, value } = tf.variableGrads(
    () => modulation.objectives(given, given.label, training).multimodal.loss,
    net.trainableVariables,
  );
  const all = Object.fromEntries(
    net.trainableVariables.map((v) => [v.name, grads[v.name] ?? tf.zerosLike(v)]),
  );
  await modulation.modulate(optimizer as unknown as tf.Optimizer)(all);
  tf.dispose([given, all, value]);
  return received;
}

describe.each(testedBackends())('on %s', (backend) => {
  beforeAll(async () => {
    await startTestBackend(backend === 'wasm' ? 'wasm' : 'cpu');
  });

  describe('ogmGe', () => {
    it('slows encoders that say more of the true classes than the others, by 1 − tanh(α ρ)', async () => {
      await expectConstantMemory(async () => {
        const net = network();
        const modulation = ogmGe(net, { alpha: 0.7, noise: false });
        const plain = ogmGe(net, { alpha: 0, noise: false });
        const [slowed, whole] = [await handedOn(net, modulation), await handedOn(net, plain)];
        const scores = tf.tidy(() => {
          const { a, b, c, label } = batch();
          const features = net.features({ a, b, c }, training);
          const kernel = net.namedVariables.get('head/multimodal/kernel') as unknown as tf.Tensor2D;
          const bias = net.namedVariables.get('head/multimodal/bias')!.dataSync();
          const rows = { a: [0, 3], b: [3, 2], c: [5, 2] } as const;
          return net.modalities.map((modality) => {
            const [from, length] = rows[modality];
            const own = tf.slice(kernel, [from, 0], [length, -1]);
            const logits = tf
              .matMul<tf.Tensor2D>(features[modality] as tf.Tensor2D, own)
              .arraySync();
            return [...label.dataSync()].reduce((sum, y, i) => {
              if (y < 0) return sum;
              const exponentials = logits[i]!.map((z, k) => Math.exp(z + bias[k]! / 3));
              return sum + exponentials[y]! / exponentials.reduce((total, e) => total + e);
            }, 0);
          });
        });
        const total = scores.reduce((sum, score) => sum + score);
        const factors = scores.map((score) => {
          const ratio = score / ((total - score) / 2);
          return ratio > 1 ? 1 - Math.tanh(0.7 * ratio) : 1;
        });
        expect(new Set(factors.map((factor) => factor === 1))).toEqual(new Set([true, false]));
        const last = modulation.last()!;
        net.modalities.forEach((modality, k) => {
          expect(last[modality].score).toBeCloseTo(scores[k]!, 5);
          expect(last[modality].factor).toBeCloseTo(factors[k]!, 5);
        });
        for (const [name, values] of Object.entries(whole)) {
          const k = net.modalities.findIndex((modality) => name.startsWith(`${modality}/`));
          // Heads keep their gradient.
          const factor = k < 0 ? 1 : factors[k]!;
          slowed[name]!.forEach((value, i) => expect(value).toBeCloseTo(factor * values[i]!, 6));
        }
        net.dispose();
      });
    });

    it("adds noise of each gradient's own deviation to encoders alone, the same for the same seed", async () => {
      await expectConstantMemory(async () => {
        const net = network();
        const make = (options: object) => ogmGe(net, { alpha: 0, ...options });
        const [plain, one, again, other] = [
          await handedOn(net, make({ noise: false })),
          await handedOn(net, make({ seed: 1 })),
          await handedOn(net, make({ seed: 1 })),
          await handedOn(net, make({ seed: 2 })),
        ];
        expect(again).toEqual(one);
        expect(other).not.toEqual(one);
        const ratios: number[] = [];
        for (const [name, values] of Object.entries(plain)) {
          if (name.startsWith('head/')) {
            expect(one[name]).toEqual(values);
            continue;
          }
          const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
          const deviation = Math.sqrt(
            values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / values.length,
          );
          values.forEach((value, i) => {
            if (deviation > 0) ratios.push((one[name]![i]! - value) / deviation);
          });
        }
        // Standard normal numbers: five standard errors of their mean and mean square.
        const n = ratios.length;
        expect(n).toBeGreaterThan(40);
        const square = ratios.reduce((sum, r) => sum + r * r, 0) / n;
        expect(Math.abs(ratios.reduce((sum, r) => sum + r, 0) / n)).toBeLessThan(5 / Math.sqrt(n));
        expect(Math.abs(square - 1)).toBeLessThan(5 * Math.sqrt(2 / n));
        net.dispose();
      });
    });

    it('trains in a trainer, and refuses an update without a forward pass', async () => {
      await expectConstantMemory(async () => {
        const net = network();
        const modulation = ogmGe(net);
        const optimizer = tf.train.sgd(0.1);
        const trainer = new MultiObjectiveTrainer({
          objectives: (data: ReturnType<typeof batch>, mode) =>
            modulation.objectives(data, data.label, mode),
          variables: net.trainableVariables,
          parts: net.parts,
          strategy: only('multimodal'),
          optimizer: modulation.modulate(optimizer),
        });
        const data = batch();
        await trainer.trainOnBatch(data);
        await expectConstantMemory(async () => {
          const { losses } = await trainer.trainOnBatch(data);
          expect(Object.keys(losses)).toEqual(['multimodal', 'a', 'b', 'c']);
        });
        const { metrics } = await trainer.evaluate([data]);
        expect(metrics.a).toHaveProperty('accuracy');
        await expect(modulation.modulate(optimizer)({})).rejects.toThrow('without a forward pass');
        tf.dispose(modulation.objectives(data, data.label, training));
        modulation.dispose();
        tf.dispose(data);
        optimizer.dispose();
        net.dispose();
      });
    });

    it('refuses other fusions and options out of range', async () => {
      await expectConstantMemory(() => {
        const net = network('gated');
        expect(() => ogmGe(net)).toThrow('whose fusion is concatenation');
        expect(() => ogmGe(net, { alpha: -1 })).toThrow('`alpha` of `ogmGe`');
        net.dispose();
      });
    });
  });

  describe('gBlending', () => {
    const logs = (rows: Record<string, [number, number]>) =>
      Object.fromEntries(
        Object.entries(rows).flatMap(([name, [train, validation]]) => [
          [`${name}_loss`, train],
          [`val_${name}_loss`, validation],
        ]),
      );

    it('weighs by generalisation over the square of overfitting, with mean 1', async () => {
      const { lossWeights, callback } = gBlending(['joint', 'a']);
      expect(lossWeights).toEqual({ joint: 1, a: 1 });
      await callback.onTrainBegin?.({ step: 0, epoch: 0, batch: 0, epochs: 4, variables: [] });
      await callback.onEpochEnd?.(0, logs({ joint: [2, 2], a: [3, 3] }));
      expect(lossWeights).toEqual({ joint: 1, a: 1 });
      // G = 0.5 and 1, O = 0.5 and 0.5: ratios 2 and 4.
      await callback.onEpochEnd?.(1, logs({ joint: [1, 1.5], a: [1.5, 2] }));
      expect(lossWeights.joint).toBeCloseTo(2 / 3, 12);
      expect(lossWeights.a).toBeCloseTo(4 / 3, 12);
      // Now a does not generalise.
      await callback.onEpochEnd?.(2, logs({ joint: [0.5, 1.2], a: [1, 2.5] }));
      expect(lossWeights).toEqual({ joint: 2, a: 0 });
      // Nothing does: the weights stay.
      await callback.onEpochEnd?.(3, logs({ joint: [0.4, 1.2], a: [1, 2.6] }));
      expect(lossWeights).toEqual({ joint: 2, a: 0 });
    });

    it('goes on from what it remembers', async () => {
      const play = async (from: number, { callback, lossWeights }: ReturnType<typeof make>) => {
        await callback.onTrainBegin?.({
          step: from,
          epoch: from,
          batch: 0,
          epochs: 4,
          variables: [],
        });
        for (let epoch = from; epoch < 4; epoch++) {
          if (epoch === 2) saved = JSON.parse(JSON.stringify(callback.snapshot!())) as Json;
          const joint: [number, number] = [4 - epoch, 4 - epoch / 2];
          await callback.onEpochEnd?.(epoch, logs({ joint, a: [1, 3 - epoch / 5] }));
        }
        return { ...lossWeights };
      };
      const make = () => gBlending(['joint', 'a']);
      let saved: Json = null;
      const whole = await play(0, make());
      const later = make();
      later.callback.restore!(saved);
      expect(await play(2, later)).toEqual(whole);
      expect(whole.joint).not.toBe(1);
    });

    it('estimates every few epochs', async () => {
      const { lossWeights, callback } = gBlending(['joint', 'a'], { every: 2 });
      const seen = [];
      for (let epoch = 0; epoch < 4; epoch++) {
        const joint: [number, number] = [4 - epoch, 4 - epoch / 2];
        await callback.onEpochEnd?.(epoch, logs({ joint, a: [1, 1] }));
        seen.push(lossWeights.joint);
      }
      expect(seen).toEqual([1, 2, 2, 2]);
    });

    it('reaches the next steps of a trainer', async () => {
      await expectConstantMemory(async () => {
        const net = network();
        const { lossWeights, callback } = gBlending(net.objectiveNames);
        const received: number[] = [];
        const head = net.namedVariables.get('head/a/bias')!.name;
        const trainer = new MultiObjectiveTrainer({
          objectives: (data: ReturnType<typeof batch>, mode) =>
            net.objectives(data, data.label, mode),
          variables: net.trainableVariables,
          strategy: only('multimodal'),
          lossWeights,
          optimizer: (gradients) => {
            received.push(tf.tidy(() => tf.norm(gradients[head]!).dataSync()[0]!));
          },
        });
        const data = batch();
        await trainer.fit([data], {
          epochs: 2,
          validationData: [data],
          callbacks: [callback, { onEpochEnd: () => void Object.assign(lossWeights, { a: 3 }) }],
        });
        expect(received[1]! / received[0]!).toBeCloseTo(3, 5);
        tf.dispose(data);
        net.dispose();
      });
    });

    it('refuses one objective, and epochs without validation', () => {
      expect(() => gBlending(['joint'])).toThrow('at least two objectives. Found 1.');
      expect(() => gBlending(['a', 'b'], { every: 0 })).toThrow('`every` of `gBlending`');
      const { callback } = gBlending(['joint', 'a']);
      expect(() => callback.onEpochEnd?.(0, { joint_loss: 1, a_loss: 1 })).toThrow(
        'needs the training and the validation loss of `joint`',
      );
    });
  });
});
